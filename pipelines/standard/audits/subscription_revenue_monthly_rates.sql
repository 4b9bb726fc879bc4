-- name: subscription_revenue_monthly_rates
-- description: Churn and gross retention are shares; gross retention is never above net; the last month is what the changes add up to.
SELECT CAST(month_end AS VARCHAR) AS row
FROM subscription_revenue_monthly
WHERE logo_churn_rate NOT BETWEEN 0 AND 1 OR revenue_churn_rate_gross NOT BETWEEN 0 AND 1 OR gross_revenue_retention NOT BETWEEN 0 AND 1
    OR gross_revenue_retention > net_revenue_retention + 1e-9 OR gross_revenue_retention_12m NOT BETWEEN 0 AND 1 + 1e-9
    OR gross_revenue_retention_12m > net_revenue_retention_12m + 1e-9 OR customers_churned_12m > customers_opening_12m
    OR customers_churned_12m < 0
UNION ALL
SELECT 'total' AS row
FROM (SELECT sum(monthly_revenue_change) AS total FROM subscription_changes) AS changed
CROSS JOIN (SELECT revenue_closing FROM subscription_revenue_monthly ORDER BY month_end DESC LIMIT 1) AS last_month
WHERE total <> revenue_closing
