-- name: subscription_changes
-- grain: one row per customer and month in which what the customer pays for subscriptions a month changed
-- unit: reporting currency a month
-- description: What a customer pays for subscriptions at the end of a month, against the end of the month before. A stretch counts from the month in
--   which it starts up to the month before the one in which it ends: churn falls into the month after the last active one. Prices for other
--   periods are spread evenly over months (a month has 365.2425 / 84 = 4.3481 weeks). Only complete months up to the as-of day; an end that is
--   announced for later has not happened. Stretches without a customer, and amounts that are not above 0, do not count.
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

stretches AS (
    SELECT
        customer_key,
        CAST(date_part('year', local_date(started_at)) * 12 + date_part('month', local_date(started_at)) - 1 AS BIGINT) AS from_month,
        CAST(date_part('year', local_date(ended_at)) * 12 + date_part('month', local_date(ended_at)) - 1 AS BIGINT) AS until_month,
        CASE period
            WHEN 'month' THEN amount
            WHEN 'year' THEN CAST(round(CAST(amount AS DOUBLE) / 12, 4) AS DECIMAL(18, 4))
            WHEN 'half_year' THEN CAST(round(CAST(amount AS DOUBLE) / 6, 4) AS DECIMAL(18, 4))
            WHEN 'quarter' THEN CAST(round(CAST(amount AS DOUBLE) / 3, 4) AS DECIMAL(18, 4))
            WHEN 'week' THEN CAST(round(CAST(amount AS DOUBLE) * 365.2425 / 84, 4) AS DECIMAL(18, 4))
        END AS monthly
    FROM subscriptions
    WHERE customer_key IS NOT NULL AND amount > 0
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
