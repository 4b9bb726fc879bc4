-- name: customer_churn
-- grain: one row per customer
-- description: Where each customer stands on the as-of day against twelve months earlier, by the same rule as `churn_rate_monthly`.
--   Twelve months before a month end is a month end. `is_overdue`: no order for longer than `overdue_factor` (3) times the gap to be
--   expected, which is the customer's own mean gap drawn towards the mean of all gaps as if by one more gap; null while nobody has
--   ordered twice. `not_yet_observable`: first order within the twelve months, so the customer could not have been lost yet.
--   `lifecycle_stage`, first that holds: prospect (no order), lost (not active), at_risk (overdue), reactivated, new (first order in
--   the twelve months), active.
WITH days AS (
    SELECT
        as_of() AS closing_date,
        CASE
            WHEN date_part('day', as_of() + INTERVAL '1 day') = 1
                THEN CAST(date_trunc('month', as_of() - INTERVAL '11 months') - INTERVAL '1 day' AS DATE)
            ELSE CAST(as_of() - INTERVAL '12 months' AS DATE)
        END AS opening_date,
        CAST(setting('churn_window_days', 365) AS INT) AS churn_window_days
),

before AS (
    SELECT order_facts.customer_key, max(order_facts.order_date) AS last_order_date
    FROM order_facts
    CROSS JOIN days
    WHERE order_facts.is_order AND order_facts.customer_key IS NOT NULL AND order_facts.order_date <= days.opening_date
    GROUP BY order_facts.customer_key
),

all_gaps AS (
    SELECT
        CAST(sum(CAST(last_order_date AS INT) - CAST(first_order_date AS INT)) AS DOUBLE)
            / nullif(sum(order_days_count - 1), 0) AS avg_days_between_orders
    FROM customer_orders
    WHERE order_days_count > 0
),

standing AS (
    SELECT
        customer_orders.customer_key,
        customer_orders.cohort_month,
        customer_orders.first_order_at,
        customer_orders.last_order_at,
        customer_orders.orders_count,
        customer_orders.days_since_last_order,
        customer_orders.avg_days_between_orders,
        (CAST(customer_orders.last_order_date AS INT) - CAST(customer_orders.first_order_date AS INT) + all_gaps.avg_days_between_orders)
            / customer_orders.order_days_count AS expected_days_between_orders,
        coalesce(customer_orders.days_since_last_order < days.churn_window_days, FALSE) AS is_active,
        coalesce(CAST(days.opening_date AS INT) - CAST(before.last_order_date AS INT) < days.churn_window_days, FALSE) AS was_active,
        customer_orders.first_order_date > days.opening_date AS is_first_order_since
    FROM customer_orders
    CROSS JOIN days
    CROSS JOIN all_gaps
    LEFT JOIN before ON before.customer_key = customer_orders.customer_key
),

flagged AS (
    SELECT
        customer_key,
        cohort_month,
        first_order_at,
        last_order_at,
        orders_count,
        days_since_last_order,
        avg_days_between_orders,
        expected_days_between_orders,
        is_active,
        was_active AND NOT is_active AS is_lost,
        is_active AND NOT was_active AND NOT is_first_order_since AS is_reactivated,
        is_first_order_since AS not_yet_observable,
        days_since_last_order > CAST(setting('overdue_factor', 3) AS DOUBLE) * expected_days_between_orders AS is_overdue
    FROM standing
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    cohort_month,
    first_order_at,
    last_order_at,
    orders_count,
    days_since_last_order,
    avg_days_between_orders,
    expected_days_between_orders,
    is_active AS is_active_12m,
    is_lost AS is_lost_12m,
    coalesce(is_reactivated, FALSE) AS is_reactivated_12m,
    not_yet_observable,
    is_overdue,
    CASE
        WHEN orders_count = 0 THEN 'prospect'
        WHEN NOT is_active THEN 'lost'
        WHEN is_overdue THEN 'at_risk'
        WHEN is_reactivated THEN 'reactivated'
        WHEN not_yet_observable THEN 'new'
        ELSE 'active'
    END AS lifecycle_stage
FROM flagged
