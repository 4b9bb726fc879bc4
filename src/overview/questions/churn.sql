-- name: churn
-- reads: churn_rate_monthly.month_end, churn_rate_monthly.customers_opening, churn_rate_monthly.customers_lost, churn_rate_monthly.customers_new, churn_rate_monthly.customers_reactivated, churn_rate_monthly.customers_closing, churn_rate_monthly.churn_rate
-- description: The last 60 months of churn with the bridge.
SELECT month_end, customers_opening, customers_lost, customers_new, customers_reactivated, customers_closing, churn_rate
FROM (SELECT * FROM churn_rate_monthly ORDER BY month_end DESC LIMIT 60) AS latest
ORDER BY month_end
