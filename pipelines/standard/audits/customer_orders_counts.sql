-- name: customer_orders_counts
-- description: Counts and days are never negative, and only a customer with an order has dates.
SELECT customer_key
FROM customer_orders
WHERE orders_count < 0 OR order_days_count < 0 OR interactions_count < 0 OR order_days_count > orders_count
    OR days_since_last_order < 0 OR avg_days_between_orders <= 0
    OR (orders_count > 0) <> (days_since_last_order IS NOT NULL)
