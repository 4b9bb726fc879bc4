-- name: customer_active_periods
-- grain: one row per customer and uninterrupted time in which the customer was active
-- description: From when to when each customer was active, up to the as-of day; what all churn rates are counted from. A customer is active
--   on day t with an order in (t - window, t]; the window is the setting `churn_window_days` (365). A period begins with an order and ends
--   a window after its last one, on the day on which the customer lapses. Buying on that very day goes on with the period.
-- columns:
--   customer_key: The customer.
--   active_from_date [date]: Day of the first order of the period.
--   last_order_date [date]: Day of its last order.
--   lapse_date [date]: First day without activity: last_order_date + window; may lie after the as-of day.
--   returned_date [date]: Day of the order that began the next period; null without one.
--   first_order_date [date]: Day of the customer's first order ever.
--   is_lapsed: Whether the customer had lapsed by the as-of day.
WITH spaced AS (
    SELECT
        customer_key,
        order_date,
        lag(order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS previous_order_date
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
),

starts AS (
    SELECT
        customer_key,
        order_date AS active_from_date,
        previous_order_date,
        lead(order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS returned_date,
        lead(previous_order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS last_order_date
    FROM spaced
    WHERE previous_order_date IS NULL OR order_date > previous_order_date + CAST(setting('churn_window_days', 365) AS INT)
),

ended AS (
    SELECT
        starts.customer_key,
        starts.active_from_date,
        coalesce(starts.last_order_date, customer_orders.last_order_date) AS last_order_date,
        starts.returned_date,
        customer_orders.first_order_date
    FROM starts
    INNER JOIN customer_orders ON customer_orders.customer_key = starts.customer_key
)

SELECT
    customer_key,
    active_from_date,
    last_order_date,
    last_order_date + CAST(setting('churn_window_days', 365) AS INT) AS lapse_date,
    returned_date,
    first_order_date,
    last_order_date + CAST(setting('churn_window_days', 365) AS INT) <= as_of() AS is_lapsed
FROM ended
