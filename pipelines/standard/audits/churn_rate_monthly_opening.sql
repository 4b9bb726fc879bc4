-- name: churn_rate_monthly_opening
-- description: What opens a year is what closed the month twelve months earlier.
WITH lagged AS (
    SELECT month_end, customers_opening, lag(customers_closing, 12) OVER (ORDER BY month_end) AS customers_closing_before
    FROM churn_rate_monthly
)

SELECT month_end
FROM lagged
WHERE customers_opening IS DISTINCT FROM customers_closing_before
