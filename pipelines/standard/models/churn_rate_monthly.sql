-- name: churn_rate_monthly
-- grain: one row per complete calendar month from the first order to the as-of day
-- unit: customers; rates from 0, above 1 where a young base shrinks faster than its mean
-- description: How many customers were lost in the twelve months up to each month end.
--   A customer is active on day t with an order in (t - window, t]; the window is the setting `churn_window_days` (365).
--   Lost: active twelve months earlier, not now. New: not active then, first order since. Reactivated: not active then, first order
--   before. So closing = opening - lost + new + reactivated. Who left and came back in between is in none of them, but in
--   `customers_lapsed`, which counts every time somebody had gone without an order for the whole window.
--   `churn_rate` = lost / chronological mean of the 13 month ends, first and last by half; the others differ in what they divide by.
--   Everything that looks twelve months back is null in the first twelve months. Identities are those of this run: all months are counted
--   anew each time, so when two customers turn out to be one the past changes with them.
-- columns:
--   month_end [date]: Last day of the month.
--   customers_opening [customers]: Active twelve months earlier.
--   customers_lost [customers]: Active then, not at the month end.
--   customers_new [customers]: Active at the month end, first order within the twelve months.
--   customers_reactivated [customers]: Active at the month end and not twelve months earlier, first order before.
--   customers_closing [customers]: Active at the month end.
--   customers_lapsed [lapses]: Times a customer went inactive in the twelve months, come back since or not.
--   customers_average [customers]: Chronological mean of 13 month ends: (c0 / 2 + c1 + ... + c11 + c12 / 2) / 12.
--   churn_rate [share]: Lost / customers_average. May be above 1, see `rate_note`.
--   churn_rate_opening [share]: Lost / opening; never above 1.
--   churn_rate_open_close [share]: Lost / mean of opening and closing.
--   churn_rate_month_ends [share]: Lost / plain mean of the last twelve month ends.
--   rate_note: Why the rates are null, or why `churn_rate` is above 1; null else.
--   churn_window_days [days]: The window.
--   data_through_date [date]: Day of the newest order that was counted.
WITH bounds AS (
    SELECT
        CAST(date_part('year', min(active_from_date)) * 12 + date_part('month', min(active_from_date)) - 1 AS BIGINT) AS first_month,
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 1 AS BIGINT) - 1 AS last_month,
        max(last_order_date) AS data_through_date
    FROM customer_active_periods
),

-- Months as numbers. Active at the month ends from `from_month` to `to_month`, and then not before `next_month`.
periods AS (
    SELECT
        customer_active_periods.customer_key,
        customer_active_periods.active_from_date,
        CAST(date_part('year', customer_active_periods.active_from_date) * 12 + date_part('month', customer_active_periods.active_from_date) - 1 AS BIGINT) AS from_month,
        CAST(date_part('year', customer_active_periods.lapse_date) * 12 + date_part('month', customer_active_periods.lapse_date) - 1 AS BIGINT) - 1 AS to_month,
        coalesce(CAST(date_part('year', customer_active_periods.returned_date) * 12 + date_part('month', customer_active_periods.returned_date) - 1 AS BIGINT), bounds.last_month + 1) AS next_month,
        CAST(date_part('year', customer_active_periods.first_order_date) * 12 + date_part('month', customer_active_periods.first_order_date) - 1 AS BIGINT) AS first_month,
        customer_active_periods.is_lapsed
    FROM customer_active_periods
    CROSS JOIN bounds
),

-- Twelve months after a month of the earlier period and in the gap behind the later one: lost. Twelve months after a month of the gap
-- behind the earlier period and in the later one: reactivated.
pairs AS (
    SELECT
        greatest(earlier.from_month + 12, later.to_month + 1) AS lost_from,
        least(earlier.to_month + 12, later.next_month - 1) AS lost_to,
        greatest(earlier.to_month + 13, later.from_month) AS reactivated_from,
        CASE
            WHEN earlier.active_from_date < later.active_from_date THEN least(earlier.next_month + 11, later.to_month)
            ELSE later.from_month - 1
        END AS reactivated_to
    FROM periods AS earlier
    INNER JOIN periods AS later ON later.customer_key = earlier.customer_key
    WHERE later.active_from_date >= earlier.active_from_date
),

spans AS (
    SELECT 'opening' AS kind, from_month + 12 AS from_month, to_month + 12 AS to_month FROM periods
    UNION ALL
    SELECT 'closing' AS kind, from_month AS from_month, to_month AS to_month FROM periods
    UNION ALL
    SELECT 'new' AS kind, from_month AS from_month, least(to_month, first_month + 11) AS to_month FROM periods
    UNION ALL
    SELECT 'lapsed' AS kind, to_month + 1 AS from_month, to_month + 12 AS to_month FROM periods WHERE is_lapsed
    UNION ALL
    SELECT 'lost' AS kind, lost_from AS from_month, lost_to AS to_month FROM pairs
    UNION ALL
    SELECT 'reactivated' AS kind, reactivated_from AS from_month, reactivated_to AS to_month FROM pairs
),

-- Few different spans for many customers: counted before they are spread over their months.
counted_spans AS (
    SELECT kind, from_month, least(to_month, last_month) AS to_month, count(*) AS customers
    FROM spans
    CROSS JOIN bounds
    WHERE from_month <= least(to_month, last_month)
    GROUP BY kind, from_month, least(to_month, last_month)
),

spread AS (
    SELECT kind, customers, unnest(generate_series(from_month, to_month)) AS month_no
    FROM counted_spans
),

counted AS (
    SELECT
        month_no,
        sum(customers) FILTER (WHERE kind = 'opening') AS opening,
        sum(customers) FILTER (WHERE kind = 'closing') AS closing,
        sum(customers) FILTER (WHERE kind = 'new') AS new,
        sum(customers) FILTER (WHERE kind = 'lapsed') AS lapsed,
        sum(customers) FILTER (WHERE kind = 'lost') AS lost,
        sum(customers) FILTER (WHERE kind = 'reactivated') AS reactivated
    FROM spread
    GROUP BY month_no
),

months AS (
    SELECT first_month, data_through_date, unnest(generate_series(first_month, last_month)) AS month_no
    FROM bounds
    WHERE first_month <= last_month
),

bridged AS (
    SELECT
        months.month_no,
        months.data_through_date,
        months.month_no - months.first_month >= 12 AS has_history,
        coalesce(counted.opening, 0) AS opening,
        coalesce(counted.lost, 0) AS lost,
        coalesce(counted.new, 0) AS new,
        coalesce(counted.reactivated, 0) AS reactivated,
        coalesce(counted.closing, 0) AS closing,
        coalesce(counted.lapsed, 0) AS lapsed
    FROM months
    LEFT JOIN counted ON counted.month_no = months.month_no
),

averaged AS (
    SELECT
        month_no,
        data_through_date,
        has_history,
        opening,
        lost,
        new,
        reactivated,
        closing,
        lapsed,
        (CAST(sum(closing) OVER (ORDER BY month_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS DOUBLE)
            + (CAST(opening AS DOUBLE) - CAST(closing AS DOUBLE)) / 2) / 12 AS average,
        CAST(sum(closing) OVER (ORDER BY month_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS DOUBLE) / 12 AS month_ends_average
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
    CASE WHEN has_history THEN lapsed END AS customers_lapsed,
    CASE WHEN has_history THEN average END AS customers_average,
    CASE WHEN has_history THEN lost / nullif(average, 0) END AS churn_rate,
    CASE WHEN has_history THEN CAST(lost AS DOUBLE) / nullif(opening, 0) END AS churn_rate_opening,
    CASE WHEN has_history THEN 2 * CAST(lost AS DOUBLE) / nullif(opening + closing, 0) END AS churn_rate_open_close,
    CASE WHEN has_history THEN lost / nullif(month_ends_average, 0) END AS churn_rate_month_ends,
    CASE
        WHEN NOT has_history THEN 'not observable yet: fewer than twelve months since the first order'
        WHEN average = 0 THEN 'no customers in these twelve months'
        WHEN lost > average
            THEN 'above 1: more were lost than there were on average, because a young base shrank before it grew; read churn_rate_opening'
    END AS rate_note,
    CAST(setting('churn_window_days', 365) AS INT) AS churn_window_days,
    data_through_date
FROM averaged
