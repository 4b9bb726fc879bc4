-- name: transitions
-- reads: segment_transitions.month_end, segment_transitions.from_segment, segment_transitions.to_segment, segment_transitions.customers_count
-- description: Customers by segment then and now, at the newest month end.
WITH newest AS (
    SELECT max(month_end) AS month_end FROM segment_transitions
)

SELECT from_segment, to_segment, max(segment_transitions.month_end) AS month_end, sum(customers_count) AS customers_count
FROM segment_transitions
INNER JOIN newest ON newest.month_end = segment_transitions.month_end
GROUP BY from_segment, to_segment
ORDER BY from_segment, to_segment
LIMIT 400
