-- name: subscription_changes_values
-- description: What a customer pays is never below 0, every change is one, and the category says which.
SELECT customer_key, month_end
FROM subscription_changes
WHERE monthly_revenue < 0 OR monthly_revenue_before < 0 OR monthly_revenue_change = 0
    OR monthly_revenue <> monthly_revenue_before + monthly_revenue_change
    OR (category IN ('new', 'reactivation')) <> (monthly_revenue_before = 0)
    OR (category = 'churn') <> (monthly_revenue = 0)
    OR (category IN ('contraction', 'churn')) <> (monthly_revenue_change < 0)
