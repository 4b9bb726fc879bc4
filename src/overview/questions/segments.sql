-- name: segments
-- reads: segment_summary.segment, segment_summary.customers_count, segment_summary.customers_share, segment_summary.net_revenue, segment_summary.net_revenue_share
-- description: Size and value of each segment.
SELECT segment, customers_count, customers_share, net_revenue, net_revenue_share
FROM segment_summary
ORDER BY customers_count DESC, segment
LIMIT 40
