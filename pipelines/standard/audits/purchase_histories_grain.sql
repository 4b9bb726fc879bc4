-- name: purchase_histories_grain
-- description: One row per customer with an order, and only customers.
SELECT customer_key
FROM purchase_histories
GROUP BY customer_key
HAVING count(*) > 1
UNION ALL
SELECT purchase_histories.customer_key
FROM purchase_histories
LEFT JOIN customer_orders ON customer_orders.customer_key = purchase_histories.customer_key
WHERE customer_orders.orders_count IS NULL OR customer_orders.orders_count = 0
