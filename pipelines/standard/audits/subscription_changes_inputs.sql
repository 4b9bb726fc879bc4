-- name: subscription_changes_inputs
-- description: Every subscription has a known period, an amount that is not below 0, ends after it began, and is in the reporting currency or one
--   with a rate of the days before it began.
WITH rated AS (
    SELECT DISTINCT begun.currency, begun.start_date
    FROM (
        SELECT DISTINCT currency, local_date(started_at) AS start_date
        FROM subscriptions
        WHERE currency <> setting('currency')
    ) AS begun
    INNER JOIN exchange_rates
        ON exchange_rates.currency = begun.currency
            AND exchange_rates.rate_date <= begun.start_date
            AND exchange_rates.rate_date >= begun.start_date - CAST(setting('exchange_rate_age_days_max', 7) AS INT)
    WHERE exchange_rates.rate > 0
)

SELECT subscriptions.source, subscriptions.subscription_id
FROM subscriptions
LEFT JOIN rated ON rated.currency = subscriptions.currency AND rated.start_date = local_date(subscriptions.started_at)
WHERE (subscriptions.currency <> setting('currency') AND rated.currency IS NULL AND local_date(subscriptions.started_at) <= as_of())
    OR subscriptions.period NOT IN ('week', 'month', 'quarter', 'half_year', 'year')
    OR subscriptions.amount < 0
    OR subscriptions.ended_at < subscriptions.started_at
