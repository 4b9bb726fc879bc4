-- name: customer_churn_agrees
-- description: On a month end, the customers flagged in `customer_churn` are those counted in `churn_rate_monthly`.
WITH flagged AS (
    SELECT
        as_of_date,
        count(*) FILTER (WHERE is_active_12m) AS active,
        count(*) FILTER (WHERE is_lost_12m) AS lost,
        count(*) FILTER (WHERE is_reactivated_12m) AS reactivated
    FROM customer_churn
    GROUP BY as_of_date
)

SELECT flagged.as_of_date
FROM flagged
INNER JOIN churn_rate_monthly ON churn_rate_monthly.month_end = flagged.as_of_date
WHERE flagged.active <> churn_rate_monthly.customers_closing
    OR flagged.lost <> churn_rate_monthly.customers_lost
    OR flagged.reactivated <> churn_rate_monthly.customers_reactivated
