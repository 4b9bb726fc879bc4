-- name: groups
-- reads: churn_rate_by_group.month_end, churn_rate_by_group.dimension, churn_rate_by_group.value, churn_rate_by_group.customers_opening, churn_rate_by_group.customers_lost, churn_rate_by_group.customers_closing, churn_rate_by_group.churn_rate
-- description: Churn of the newest month by segment, channel and year of the first order.
WITH newest AS (
    SELECT max(month_end) AS month_end FROM churn_rate_by_group
)

SELECT dimension, value, customers_opening, customers_lost, customers_closing, churn_rate
FROM churn_rate_by_group
INNER JOIN newest ON newest.month_end = churn_rate_by_group.month_end
ORDER BY dimension, customers_closing DESC, value
LIMIT 100
