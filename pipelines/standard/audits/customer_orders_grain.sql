-- name: customer_orders_grain
-- description: `customer_orders` has each customer exactly once.
SELECT customers.customer_key, count(customer_orders.customer_key) AS rows_count
FROM customers
FULL JOIN customer_orders ON customer_orders.customer_key = customers.customer_key
GROUP BY customers.customer_key
HAVING count(customer_orders.customer_key) <> 1 OR customers.customer_key IS NULL
