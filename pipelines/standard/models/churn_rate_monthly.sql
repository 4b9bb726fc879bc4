-- name: churn_rate_monthly
-- grain: one row per complete calendar month from the first order to the as-of day
-- unit: customers; rates from 0, above 1 where a young base shrinks faster than its mean
-- description: How many customers were lost in the twelve months up to each month end.
--   A customer is active on day t with an order in (t - window, t]; the window is the setting `churn_window_days` (365).
--   Lost: active twelve months earlier, not now. New: not active then, first order since. Reactivated: not active then, first order
--   before. So closing = opening - lost + new + reactivated. `churn_rate` = lost / chronological mean of the 13 month ends, first and
--   last by half; the other two rates divide by the opening and by the mean of opening and closing. Everything that looks twelve months
--   back is null in the first twelve months.
WITH order_days AS (
    SELECT DISTINCT customer_key, order_date
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
),

numbered AS (
    SELECT
        customer_key,
        CAST(date_part('year', order_date) * 12 + date_part('month', order_date) - 1 AS BIGINT) AS order_month,
        order_date + CAST(setting('churn_window_days', 365) AS INT) AS lapse_date,
        lead(order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS next_order_date
    FROM order_days
),

bounds AS (
    SELECT
        min(order_month) AS first_month,
        CAST(
            date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 2 AS BIGINT
        ) AS last_month
    FROM numbered
),

months AS (
    SELECT
        first_month,
        unnest(generate_series(first_month, last_month)) AS month_no
    FROM bounds
    WHERE first_month <= last_month
),

first_orders AS (
    SELECT customer_key, min(order_month) AS first_order_month
    FROM numbered
    GROUP BY customer_key
),

-- Month ends at which an order keeps its customer active, until the next order takes over: each customer and month once.
spans AS (
    SELECT
        customer_key,
        order_month AS from_month,
        least(
            CAST(date_part('year', lapse_date) * 12 + date_part('month', lapse_date) - 2 AS BIGINT),
            CAST(date_part('year', next_order_date) * 12 + date_part('month', next_order_date) - 2 AS BIGINT),
            last_month
        ) AS to_month
    FROM numbered
    CROSS JOIN bounds
),

active_months AS (
    SELECT customer_key, unnest(generate_series(from_month, to_month)) AS month_no
    FROM spans
    WHERE from_month <= to_month
),

positions AS (
    SELECT customer_key, month_no, FALSE AS is_opening, TRUE AS is_closing
    FROM active_months
    UNION ALL
    SELECT customer_key, month_no + 12 AS month_no, TRUE AS is_opening, FALSE AS is_closing
    FROM active_months
),

standing AS (
    SELECT customer_key, month_no, bool_or(is_opening) AS is_opening, bool_or(is_closing) AS is_closing
    FROM positions
    GROUP BY customer_key, month_no
),

counted AS (
    SELECT
        standing.month_no,
        count(*) FILTER (WHERE is_opening) AS opening,
        count(*) FILTER (WHERE is_opening AND NOT is_closing) AS lost,
        count(*) FILTER (WHERE NOT is_opening AND first_order_month > standing.month_no - 12) AS new,
        count(*) FILTER (WHERE NOT is_opening AND first_order_month <= standing.month_no - 12) AS reactivated,
        count(*) FILTER (WHERE is_closing) AS closing
    FROM standing
    INNER JOIN first_orders ON first_orders.customer_key = standing.customer_key
    GROUP BY standing.month_no
),

bridged AS (
    SELECT
        months.month_no,
        months.month_no - months.first_month >= 12 AS has_history,
        coalesce(counted.opening, 0) AS opening,
        coalesce(counted.lost, 0) AS lost,
        coalesce(counted.new, 0) AS new,
        coalesce(counted.reactivated, 0) AS reactivated,
        coalesce(counted.closing, 0) AS closing
    FROM months
    LEFT JOIN counted ON counted.month_no = months.month_no
),

averaged AS (
    SELECT
        month_no,
        has_history,
        opening,
        lost,
        new,
        reactivated,
        closing,
        (CAST(sum(closing) OVER (ORDER BY month_no ROWS BETWEEN 12 PRECEDING AND CURRENT ROW) AS DOUBLE)
            - CAST(opening + closing AS DOUBLE) / 2) / 12 AS average
    FROM bridged
)

SELECT
    CAST(
        make_date(CAST((month_no + 1) / 12 AS INT), CAST((month_no + 1) % 12 + 1 AS INT), 1) - INTERVAL '1 day' AS DATE
    ) AS month_end,
    CASE WHEN has_history THEN opening END AS customers_opening,
    CASE WHEN has_history THEN lost END AS customers_lost,
    CASE WHEN has_history THEN new END AS customers_new,
    CASE WHEN has_history THEN reactivated END AS customers_reactivated,
    closing AS customers_closing,
    CASE WHEN has_history THEN average END AS customers_average,
    CASE WHEN has_history THEN lost / nullif(average, 0) END AS churn_rate,
    CASE WHEN has_history THEN CAST(lost AS DOUBLE) / nullif(opening, 0) END AS churn_rate_opening,
    CASE WHEN has_history THEN 2 * CAST(lost AS DOUBLE) / nullif(opening + closing, 0) END AS churn_rate_open_close,
    CAST(setting('churn_window_days', 365) AS INT) AS churn_window_days
FROM averaged
