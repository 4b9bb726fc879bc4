-- name: subscription_changes_inputs
-- description: Every subscription is in the reporting currency, has a known period and an amount that is not below 0, and ends after it began.
SELECT source, subscription_id
FROM subscriptions
WHERE currency <> setting('currency')
    OR period NOT IN ('week', 'month', 'quarter', 'half_year', 'year')
    OR amount < 0
    OR ended_at < started_at
