-- name: order_counts_are_positive
-- description: Every customer of order_counts has an order, and no more large orders than orders.
SELECT customer_key, orders_count, large_orders_count
FROM order_counts
WHERE orders_count < 1 OR large_orders_count > orders_count
