-- name: customer_segments_grain
-- description: `customer_segments` has each customer exactly once.
SELECT customers.customer_key, count(customer_segments.customer_key) AS rows_count
FROM customers
FULL JOIN customer_segments ON customer_segments.customer_key = customers.customer_key
GROUP BY customers.customer_key
HAVING count(customer_segments.customer_key) <> 1 OR customers.customer_key IS NULL
