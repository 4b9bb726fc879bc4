-- name: churn_rate_by_group_total
-- description: Over the values of each dimension, customers add up to `churn_rate_monthly`.
-- show: month_end, dimension
WITH summed AS (
    SELECT
        month_end,
        dimension,
        sum(customers_opening) AS opening,
        sum(customers_lost) AS lost,
        sum(customers_new) AS new,
        sum(customers_reactivated) AS reactivated,
        sum(customers_closing) AS closing,
        sum(customers_lapsed) AS lapsed
    FROM churn_rate_by_group
    GROUP BY month_end, dimension
)

SELECT churn_rate_monthly.month_end, summed.dimension
FROM churn_rate_monthly
LEFT JOIN summed ON summed.month_end = churn_rate_monthly.month_end
WHERE (summed.opening IS DISTINCT FROM churn_rate_monthly.customers_opening)
    OR (summed.lost IS DISTINCT FROM churn_rate_monthly.customers_lost)
    OR (summed.new IS DISTINCT FROM churn_rate_monthly.customers_new)
    OR (summed.reactivated IS DISTINCT FROM churn_rate_monthly.customers_reactivated)
    OR (summed.closing IS DISTINCT FROM churn_rate_monthly.customers_closing)
    OR (summed.lapsed IS DISTINCT FROM churn_rate_monthly.customers_lapsed)
