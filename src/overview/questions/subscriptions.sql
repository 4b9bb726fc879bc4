-- name: subscriptions
-- reads: subscription_revenue_monthly.month_end, subscription_revenue_monthly.revenue_opening, subscription_revenue_monthly.revenue_new, subscription_revenue_monthly.revenue_reactivation, subscription_revenue_monthly.revenue_expansion, subscription_revenue_monthly.revenue_contraction, subscription_revenue_monthly.revenue_churn, subscription_revenue_monthly.revenue_closing, subscription_revenue_monthly.logo_churn_rate, subscription_revenue_monthly.net_revenue_retention
-- description: Monthly recurring revenue of the last 13 months, newest first.
SELECT month_end, revenue_opening, revenue_new, revenue_reactivation, revenue_expansion, revenue_contraction, revenue_churn, revenue_closing,
    logo_churn_rate, net_revenue_retention
FROM subscription_revenue_monthly
ORDER BY month_end DESC
LIMIT 13
