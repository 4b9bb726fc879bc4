-- name: clv_values
-- reads: customer_clv.clv_residual_12m
-- description: Customers by expected value of the next twelve months, four classes a power of ten; what is not above 0.01 stands at 0.
WITH classes AS (
    SELECT
        CASE WHEN clv_residual_12m <= 0.01 THEN NULL
            ELSE CAST(floor(log10(CAST(clv_residual_12m AS DOUBLE)) * 4) AS BIGINT) END AS class,
        CASE WHEN clv_residual_12m < 0 THEN true ELSE false END AS is_negative
    FROM customer_clv
    WHERE clv_residual_12m IS NOT NULL
)

SELECT
    coalesce(round(power(10, class / 4.0), 2), 0) AS value_from,
    coalesce(round(power(10, (class + 1) / 4.0), 2), 0) AS value_to,
    is_negative,
    count(*) AS customers_count
FROM classes
GROUP BY class, is_negative
ORDER BY value_from, is_negative
