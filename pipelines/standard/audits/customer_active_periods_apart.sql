-- name: customer_active_periods_apart
-- description: Periods of a customer do not touch, and each customer with an order has at least one.
WITH following AS (
    SELECT
        customer_key,
        active_from_date,
        last_order_date,
        lapse_date,
        returned_date,
        lead(active_from_date) OVER (PARTITION BY customer_key ORDER BY active_from_date) AS next_date
    FROM customer_active_periods
)

SELECT customer_key
FROM following
WHERE last_order_date < active_from_date OR lapse_date <= last_order_date
    OR returned_date <= lapse_date OR (returned_date IS DISTINCT FROM next_date)
UNION ALL
SELECT customer_orders.customer_key
FROM customer_orders
LEFT JOIN customer_active_periods ON customer_active_periods.customer_key = customer_orders.customer_key
WHERE customer_orders.orders_count > 0 AND customer_active_periods.customer_key IS NULL
