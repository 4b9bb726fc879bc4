-- name: segment_map
-- reads: customer_segments.rfm_recency, customer_segments.rfm_frequency, customer_segments.segment
-- description: Customers by recency and frequency score, with the segment of the cell.
SELECT rfm_recency, rfm_frequency, min(segment) AS segment, count(*) AS customers_count
FROM customer_segments
WHERE rfm_recency IS NOT NULL AND rfm_frequency IS NOT NULL
GROUP BY rfm_recency, rfm_frequency
ORDER BY rfm_recency, rfm_frequency
