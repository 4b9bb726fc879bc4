-- name: subscription_changes
-- grain: one row per customer and month in which what the customer pays for subscriptions a month changed
-- unit: reporting currency a month
-- description: What a customer pays for subscriptions at the end of a month, against the end of the month before. A stretch counts from the month in
--   which it starts up to the month before the one in which it ends: churn falls into the month after the last active one. Prices for other
--   periods are spread evenly over months (a month has 365.2425 / 84 = 4.3481 weeks). Only complete months up to the as-of day; an end that is
--   announced for later has not happened. Stretches without a customer, and amounts that are not above 0, do not count.
--   Another currency is converted by the latest rate on or before the day a stretch begins, no older than `exchange_rate_age_days_max` (7) days,
--   and by that rate to its end: what currencies do makes nobody pay more. Without a rate the audit `subscription_changes_inputs` ends the run.
-- columns:
--   customer_key: The customer.
--   month_end [date]: Last day of the month.
--   category: new (first paid month ever), reactivation (paid before, not the month before), expansion (pays more), contraction (pays
--     less, more than nothing) or churn (pays nothing any more).
--   monthly_revenue_before [reporting currency]: Paid for the month before; 0 if nothing.
--   monthly_revenue [reporting currency]: Paid for this month; 0 after churn.
--   monthly_revenue_change [reporting currency]: The difference; below 0 for contraction and churn.
--   subscriptions_count [subscriptions]: Stretches that are paid at the end of the month.
--   currency_code: Reporting currency, ISO 4217.
WITH last_month AS (
    SELECT
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 2 AS BIGINT) AS month_no
),

-- The newest rate of the days before a stretch begins, for each currency and such day.
begun AS (
    SELECT DISTINCT currency, local_date(started_at) AS start_date
    FROM subscriptions
    WHERE currency <> setting('currency')
),

rate_days AS (
    SELECT begun.currency, begun.start_date, max(exchange_rates.rate_date) AS rate_date
    FROM begun
    INNER JOIN exchange_rates
        ON exchange_rates.currency = begun.currency
            AND exchange_rates.rate_date <= begun.start_date
            AND exchange_rates.rate_date >= begun.start_date - CAST(setting('exchange_rate_age_days_max', 7) AS INT)
    WHERE exchange_rates.rate > 0
    GROUP BY begun.currency, begun.start_date
),

rates AS (
    SELECT rate_days.currency, rate_days.start_date, min(exchange_rates.rate) AS rate
    FROM rate_days
    INNER JOIN exchange_rates ON exchange_rates.currency = rate_days.currency AND exchange_rates.rate_date = rate_days.rate_date
    WHERE exchange_rates.rate > 0
    GROUP BY rate_days.currency, rate_days.start_date
),

paid AS (
    SELECT
        customer_key,
        currency,
        local_date(started_at) AS start_date,
        local_date(ended_at) AS end_date,
        amount,
        CASE period WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 WHEN 'half_year' THEN 6 WHEN 'year' THEN 12 WHEN 'week' THEN 84 / 365.2425 END
            AS months
    FROM subscriptions
    WHERE customer_key IS NOT NULL AND amount > 0
),

stretches AS (
    SELECT
        paid.customer_key,
        CAST(date_part('year', paid.start_date) * 12 + date_part('month', paid.start_date) - 1 AS BIGINT) AS from_month,
        CAST(date_part('year', paid.end_date) * 12 + date_part('month', paid.end_date) - 1 AS BIGINT) AS until_month,
        CASE
            WHEN paid.currency = setting('currency') AND paid.months = 1 THEN paid.amount
            WHEN paid.currency = setting('currency') THEN CAST(round(CAST(paid.amount AS DOUBLE) / paid.months, 4) AS DECIMAL(18, 4))
            ELSE CAST(round(CAST(paid.amount AS DOUBLE) * rates.rate / paid.months, 4) AS DECIMAL(18, 4))
        END AS monthly
    FROM paid
    LEFT JOIN rates ON rates.currency = paid.currency AND rates.start_date = paid.start_date
),

-- What begins and what ends in a month. A stretch that ends in the month it began is paid at no month end.
moves AS (
    SELECT customer_key, from_month AS month_no, monthly, 1 AS count_change
    FROM stretches
    WHERE until_month IS NULL OR until_month > from_month
    UNION ALL
    SELECT customer_key, until_month AS month_no, -monthly AS monthly, -1 AS count_change
    FROM stretches
    WHERE until_month > from_month
),

netted AS (
    SELECT moves.customer_key, moves.month_no, sum(moves.monthly) AS monthly_change, sum(moves.count_change) AS count_change
    FROM moves
    CROSS JOIN last_month
    WHERE moves.month_no <= last_month.month_no AND moves.monthly IS NOT NULL
    GROUP BY moves.customer_key, moves.month_no
),

standing AS (
    SELECT
        customer_key,
        month_no,
        monthly_change,
        sum(monthly_change) OVER (PARTITION BY customer_key ORDER BY month_no) AS monthly,
        sum(count_change) OVER (PARTITION BY customer_key ORDER BY month_no) AS subscriptions_count,
        min(CASE WHEN monthly_change > 0 THEN month_no END) OVER (PARTITION BY customer_key) AS first_month
    FROM netted
)

SELECT
    customer_key,
    CAST(make_date(CAST((month_no + 1) / 12 AS INT), CAST((month_no + 1) % 12 + 1 AS INT), 1) - INTERVAL '1 day' AS DATE) AS month_end,
    CASE
        WHEN monthly = monthly_change AND month_no = first_month THEN 'new'
        WHEN monthly = monthly_change THEN 'reactivation'
        WHEN monthly = 0 THEN 'churn'
        WHEN monthly_change > 0 THEN 'expansion'
        ELSE 'contraction'
    END AS category,
    CAST(monthly - monthly_change AS DECIMAL(18, 4)) AS monthly_revenue_before,
    CAST(monthly AS DECIMAL(18, 4)) AS monthly_revenue,
    CAST(monthly_change AS DECIMAL(18, 4)) AS monthly_revenue_change,
    subscriptions_count,
    setting('currency') AS currency_code
FROM standing
WHERE monthly_change <> 0
