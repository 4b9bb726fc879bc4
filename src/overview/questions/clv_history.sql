-- name: clv_history
-- reads: customer_clv.clv_historical_net, customer_clv.orders_count
-- description: Customers with an order by value so far, four classes a power of ten; what is not above 0.01 stands at 0.
WITH classes AS (
    SELECT
        CASE WHEN clv_historical_net <= 0.01 THEN NULL
            ELSE CAST(floor(log10(CAST(clv_historical_net AS DOUBLE)) * 4) AS BIGINT) END AS class
    FROM customer_clv
    WHERE orders_count > 0
)

SELECT
    coalesce(round(power(10, class / 4.0), 2), 0) AS value_from,
    coalesce(round(power(10, (class + 1) / 4.0), 2), 0) AS value_to,
    count(*) AS customers_count
FROM classes
GROUP BY class
ORDER BY value_from
