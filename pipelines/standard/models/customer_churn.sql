-- name: customer_churn
-- grain: one row per customer
-- description: Where each customer stands on the as-of day against twelve months earlier, by the same rule as `churn_rate_monthly`, and how
--   likely the customer is to stay away from here on. Twelve months before a month end is a month end.
--   `is_overdue`: no order for longer than `overdue_factor` (3) times the gap to be expected, which is the customer's own mean gap drawn
--   towards the mean of all gaps as if by one more gap; null while nobody has ordered twice. `not_yet_observable`: first order within
--   the twelve months, so the customer could not have been lost yet.
--   `lifecycle_stage`, first that holds: prospect (no order), lost (not active), at_risk (overdue), reactivated, new (first order in
--   the twelve months), active.
--   Probabilities come from the chosen model of `model_scorecard`: exp(LL(x, t_x, T + h) - LL(x, t_x, T)) is the probability of no
--   purchase within h. It is not 1 - `p_alive`: a customer who is still one may well buy nothing for a year.
--   `churn_reason`, first that holds: no_order, lapsed (not active), overdue (against the own rhythm), slowing (more likely than not no
--   order in the next twelve months), one_order (bought once), in_rhythm.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   cohort_month [date]: First day of the month of the first order; null without an order.
--   first_order_at [time]: First order; null without one.
--   last_order_at [time]: Last order; null without one.
--   orders_count [orders]: Orders up to the as-of day.
--   days_since_last_order [days]: From the last order to the as-of day; null without an order.
--   avg_days_between_orders [days]: Mean gap between days with an order; null with fewer than two.
--   expected_days_between_orders [days]: The gap to be expected, see above; null while nobody has ordered twice.
--   is_active_12m: Whether the customer ordered in the last `churn_window_days` (365) days.
--   is_lost_12m: Whether the customer was active twelve months earlier and is not now.
--   is_reactivated_12m: Whether the customer is active now, was not twelve months earlier, and had ordered before.
--   not_yet_observable: Whether the first order is so young that the customer cannot be lost yet; null without an order.
--   is_overdue: Whether the customer is silent for longer than the own rhythm lets expect; null without a rhythm.
--   lifecycle_stage: prospect, lost, at_risk, reactivated, new or active.
--   p_alive [share]: Probability that the customer has not left for good; null without an order, without a model, and where no dropout is
--     identified.
--   p_no_purchase_90d [share]: Probability of no purchase in the next 90 days; null without an order or a model.
--   p_no_purchase_12m [share]: Probability of no purchase in the next `churn_window_days` (365) days; null without an order or a model.
--   churn_risk_band: low, medium or high: `p_no_purchase_90d` up to 0.33, up to 0.66, above; null where that is null.
--   churn_reason: no_order, lapsed, overdue, slowing, one_order or in_rhythm.
--   churn_reason_text: The same in words, with the figures that decide.
--   model_name: Model of the probabilities; null where there is none.
--   model_status: `ok`; `no_dropout_identified` (then `nbd` was used); or why there is no model. Null without an order.
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
        customer_orders.first_order_date > days.opening_date AS is_first_order_since,
        days.churn_window_days,
        customer_orders.repeat_purchases_count,
        customer_orders.recency_days,
        customer_orders.age_days
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
        churn_window_days,
        is_active,
        was_active AND NOT is_active AS is_lost,
        is_active AND NOT was_active AND NOT is_first_order_since AS is_reactivated,
        is_first_order_since AS not_yet_observable,
        repeat_purchases_count,
        recency_days,
        age_days,
        days_since_last_order > CAST(setting('overdue_factor', 3) AS DOUBLE) * expected_days_between_orders AS is_overdue
    FROM standing
),

-- The model that speaks here, and what keeps the preferred one from speaking.
status AS (
    SELECT
        coalesce(
            max(CASE WHEN is_chosen AND model_name NOT IN ('nbd', 'gamma_gamma') THEN 'ok' END),
            max(CASE WHEN model_name = setting('purchase_model', 'mbg_nbd') THEN model_status END),
            max(CASE WHEN model_name = 'mbg_nbd' THEN model_status END)
        ) AS model_status
    FROM model_scorecard
),

scored AS (
    SELECT
        flagged.*,
        history_scores.p_alive,
        history_scores.p_no_purchase_90d,
        history_scores.p_no_purchase_12m,
        history_scores.model_name,
        CASE WHEN orders_count > 0 THEN (SELECT model_status FROM status) END AS model_status,
        CASE
            WHEN orders_count = 0 THEN 'no_order'
            WHEN NOT is_active THEN 'lapsed'
            WHEN is_overdue THEN 'overdue'
            WHEN history_scores.p_no_purchase_12m > 0.5 THEN 'slowing'
            WHEN flagged.repeat_purchases_count = 0 THEN 'one_order'
            ELSE 'in_rhythm'
        END AS churn_reason
    FROM flagged
    LEFT JOIN history_scores
        ON history_scores.repeat_purchases_count = flagged.repeat_purchases_count
        AND history_scores.recency_days = flagged.recency_days
        AND history_scores.age_days = flagged.age_days
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
    END AS lifecycle_stage,
    p_alive,
    p_no_purchase_90d,
    p_no_purchase_12m,
    CASE
        WHEN p_no_purchase_90d <= 0.33 THEN 'low'
        WHEN p_no_purchase_90d <= 0.66 THEN 'medium'
        WHEN p_no_purchase_90d IS NOT NULL THEN 'high'
    END AS churn_risk_band,
    churn_reason,
    CASE churn_reason
        WHEN 'no_order' THEN 'has never ordered'
        WHEN 'lapsed' THEN concat('no order for ', days_since_last_order, ' days, more than the window of ', churn_window_days)
        WHEN 'overdue'
            THEN concat('no order for ', days_since_last_order, ' days, expected every ', CAST(round(expected_days_between_orders) AS BIGINT))
        WHEN 'slowing' THEN concat('no order in twelve months has a probability of ', round(p_no_purchase_12m, 2))
        WHEN 'one_order' THEN concat('one order, ', days_since_last_order, ' days ago')
        ELSE concat('last order ', days_since_last_order, ' days ago, expected every ', CAST(round(expected_days_between_orders) AS BIGINT))
    END AS churn_reason_text,
    model_name,
    model_status
FROM scored
