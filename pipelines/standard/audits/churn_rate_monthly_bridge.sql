-- name: churn_rate_monthly_bridge
-- description: Closing = opening - lost + new + reactivated, and nobody is lost who was not there.
-- show: month_end, customers_opening, customers_lost, customers_new, customers_reactivated, customers_closing
SELECT month_end, customers_opening, customers_lost, customers_new, customers_reactivated, customers_closing
FROM churn_rate_monthly
WHERE customers_closing <> customers_opening - customers_lost + customers_new + customers_reactivated
    OR customers_lost > customers_opening
    OR customers_closing < 0 OR customers_opening < 0 OR customers_lost < 0 OR customers_new < 0 OR customers_reactivated < 0
