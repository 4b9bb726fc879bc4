-- name: persona_fit_row
-- description: `persona_fit` has one row where somebody has bought, none otherwise, and its silhouette lies within its bounds.
WITH fitted AS (
    SELECT count(*) AS rows_count, min(silhouette) AS silhouette FROM persona_fit
),

buyers AS (
    SELECT count(*) AS customers_count FROM customer_orders WHERE orders_count > 0
)

SELECT fitted.rows_count
FROM fitted
CROSS JOIN buyers
WHERE fitted.rows_count <> least(buyers.customers_count, 1) OR abs(fitted.silhouette) > 1
