-- name: subscription_revenue_monthly_bridge
-- description: Customers and revenue: closing = opening + what came - what went, and each month opens with what the last one closed with.
WITH numbered AS (
    SELECT
        month_end,
        customers_opening,
        customers_new,
        customers_reactivated,
        customers_churned,
        customers_closing,
        revenue_opening,
        revenue_new,
        revenue_reactivation,
        revenue_expansion,
        revenue_contraction,
        revenue_churn,
        revenue_closing,
        lag(customers_closing, 1, 0) OVER (ORDER BY month_end) AS customers_before,
        lag(revenue_closing, 1, CAST(0 AS DECIMAL(18, 4))) OVER (ORDER BY month_end) AS revenue_before
    FROM subscription_revenue_monthly
)

SELECT month_end
FROM numbered
WHERE customers_closing <> customers_opening + customers_new + customers_reactivated - customers_churned
    OR revenue_closing <> revenue_opening + revenue_new + revenue_reactivation + revenue_expansion - revenue_contraction - revenue_churn
    OR customers_opening <> customers_before OR revenue_opening <> revenue_before
    OR customers_churned > customers_opening OR customers_closing < 0
    OR revenue_churn < 0 OR revenue_contraction < 0 OR revenue_expansion < 0 OR revenue_closing < 0
    OR (customers_closing = 0) <> (revenue_closing = 0)
