-- name: customer_orders_counts
-- description: Counts and days are never negative, only a customer with an order has dates, and the three of purchase models fit together.
SELECT customer_key
FROM customer_orders
WHERE orders_count < 0 OR excluded_orders_count < 0 OR order_days_count < 0 OR interactions_count < 0 OR order_days_count > orders_count
    OR days_since_last_order < 0 OR avg_days_between_orders <= 0
    OR (orders_count > 0) <> (days_since_last_order IS NOT NULL)
    OR (orders_count > 0) <> (acquisition_channel IS NOT NULL)
    OR (orders_count > 0) <> (repeat_purchases_count IS NOT NULL)
    OR recency_days < 0 OR recency_days > age_days OR repeat_purchases_count > recency_days
    OR (repeat_purchases_count = 0 AND recency_days > 0)
    OR (coalesce(repeat_purchases_count, 0) > 0) <> (repeat_spend_mean IS NOT NULL)
