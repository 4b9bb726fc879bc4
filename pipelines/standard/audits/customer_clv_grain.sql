-- name: customer_clv_grain
-- description: `customer_clv` has each customer exactly once.
SELECT customers.customer_key, count(customer_clv.customer_key) AS rows_count
FROM customers
FULL JOIN customer_clv ON customer_clv.customer_key = customers.customer_key
GROUP BY customers.customer_key
HAVING count(customer_clv.customer_key) <> 1 OR customers.customer_key IS NULL
