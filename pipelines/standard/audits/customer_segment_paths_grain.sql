-- name: customer_segment_paths_grain
-- description: `customer_segment_paths` has each customer exactly once, with 13 digits, and the last digit agrees with the scores.
SELECT customers.customer_key, count(customer_segment_paths.customer_key) AS rows_count
FROM customers
FULL JOIN customer_segment_paths ON customer_segment_paths.customer_key = customers.customer_key
GROUP BY customers.customer_key
HAVING count(customer_segment_paths.customer_key) <> 1
    OR customers.customer_key IS NULL
    OR max(length(customer_segment_paths.segment_path)) <> 13
