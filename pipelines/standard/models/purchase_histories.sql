-- name: purchase_histories
-- grain: one row per customer with an order
-- unit: reporting currency
-- description: What the purchase models know of a customer: how often, how recently and since when, in days, and what a purchase day is worth.
--   Orders of one day are one purchase. The same is told as of an earlier day, the calibration day, with what happened after it (the
--   holdout), so that forecasts can be compared with what came. The holdout is the setting `holdout_days`; 0, the default, takes half of
--   the time between the first order and the as-of day, and at most 365 days. An amount is the day's orders less what was refunded of
--   them by the as-of day (by the calibration day, for what was known then).
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   first_order_date [date]: Day of the first order.
--   last_order_date [date]: Day of the last order.
--   repeat_purchases_count [purchase days]: Days with an order after the first (x, frequency).
--   recency_days [days]: From the first to the last order day (t_x); 0 without a repeat purchase.
--   age_days [days]: From the first order day to the as-of day (T).
--   repeat_spend_mean [reporting currency]: Mean amount of a repeat purchase day; null without one. The first day is left out, because it is
--     what makes somebody a customer.
--   calibration_date [date]: The day whose knowledge the holdout tests.
--   calibration_repeat_purchases_count [purchase days]: x as of the calibration day; null if the first order came later.
--   calibration_recency_days [days]: t_x as of the calibration day; null if the first order came later.
--   calibration_age_days [days]: T as of the calibration day; null if the first order came later.
--   calibration_repeat_spend_mean [reporting currency]: Mean amount of a repeat purchase day as known on the calibration day; null without one.
--   holdout_days [days]: From the calibration day to the as-of day.
--   holdout_purchases_count [purchase days]: Days with an order after the calibration day; null if the first order came after it.
--   holdout_revenue [reporting currency]: Amount of those days; null if the first order came after the calibration day.
WITH span AS (
    SELECT min(order_date) AS first_date, CAST(as_of() AS INT) - CAST(min(order_date) AS INT) AS days
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
),

split AS (
    SELECT
        CASE
            WHEN CAST(setting('holdout_days', 0) AS INT) > 0 THEN CAST(setting('holdout_days', 0) AS INT)
            ELSE least(365, CAST((days + 1) / 2 AS INT))
        END AS holdout_days
    FROM span
),

order_days AS (
    SELECT
        customer_key,
        order_date,
        sum(net_revenue) AS amount,
        sum(refunded) FILTER (
            WHERE CAST(as_of() AS INT) - CAST(refund_date AS INT) < (SELECT holdout_days FROM split)
        ) AS refunded_later
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
    GROUP BY customer_key, order_date
),

known AS (
    SELECT
        customer_key,
        order_date,
        amount,
        amount + coalesce(refunded_later, 0) AS amount_known,
        CAST(as_of() AS INT) - CAST(order_date AS INT) >= (SELECT holdout_days FROM split) AS is_calibration
    FROM order_days
),

customers_days AS (
    SELECT
        customer_key,
        (SELECT holdout_days FROM split) AS holdout_days,
        min(order_date) AS first_order_date,
        max(order_date) AS last_order_date,
        max(order_date) FILTER (WHERE is_calibration) AS calibration_last_date,
        count(*) - 1 AS repeat_purchases_count,
        count(*) FILTER (WHERE is_calibration) - 1 AS calibration_repeat_purchases_count,
        sum(amount) AS amount,
        first_value(amount ORDER BY order_date) AS first_amount,
        sum(amount_known) FILTER (WHERE is_calibration) AS calibration_amount,
        first_value(amount_known ORDER BY order_date) AS calibration_first_amount,
        coalesce(sum(amount) FILTER (WHERE NOT is_calibration), 0) AS holdout_revenue
    FROM known
    GROUP BY customer_key
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    first_order_date,
    last_order_date,
    repeat_purchases_count,
    CAST(last_order_date AS INT) - CAST(first_order_date AS INT) AS recency_days,
    CAST(as_of() AS INT) - CAST(first_order_date AS INT) AS age_days,
    CASE
        WHEN repeat_purchases_count > 0 THEN CAST(amount - first_amount AS DOUBLE) / repeat_purchases_count
    END AS repeat_spend_mean,
    CAST(as_of() - holdout_days AS DATE) AS calibration_date,
    CASE WHEN calibration_last_date IS NOT NULL THEN calibration_repeat_purchases_count END AS calibration_repeat_purchases_count,
    CAST(calibration_last_date AS INT) - CAST(first_order_date AS INT) AS calibration_recency_days,
    CASE
        WHEN calibration_last_date IS NOT NULL THEN CAST(as_of() AS INT) - holdout_days - CAST(first_order_date AS INT)
    END AS calibration_age_days,
    CASE
        WHEN calibration_repeat_purchases_count > 0
            THEN CAST(calibration_amount - calibration_first_amount AS DOUBLE) / calibration_repeat_purchases_count
    END AS calibration_repeat_spend_mean,
    holdout_days,
    CASE
        WHEN calibration_last_date IS NOT NULL THEN repeat_purchases_count - calibration_repeat_purchases_count
    END AS holdout_purchases_count,
    CASE WHEN calibration_last_date IS NOT NULL THEN CAST(holdout_revenue AS DECIMAL(18, 4)) END AS holdout_revenue
FROM customers_days
