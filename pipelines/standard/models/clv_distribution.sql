-- name: clv_distribution
-- grain: one row per percent of the customers with an order, from 0 to 100
-- unit: reporting currency
-- description: How value is spread: the Lorenz curve. Customers with an order stand in ascending order of their value, `clv_total` or, where
--   nothing was forecast, history. `gini` is twice the area between the curve and the diagonal: 0 where all are worth the same. With
--   customers of negative value the curve dips below 0 and the Gini coefficient may exceed 1. Null where the whole is not positive.
-- columns:
--   percentile: Percent of the customers, those of least value first; 0 is nobody.
--   customers_count [customers]: Number of these customers.
--   customers_share [share]: The same as a share of all.
--   value [reporting currency]: What they are worth together.
--   value_share [share]: The same as a share of the whole value; null where that is not positive.
--   highest_value [reporting currency]: Value of the most valuable of them; null for nobody.
--   gini: Gini coefficient of the whole, the same in each row.
--   currency_code: The reporting currency.
WITH ordered AS (
    SELECT
        coalesce(clv_total, clv_historical_net) AS value,
        currency_code,
        row_number() OVER (ORDER BY coalesce(clv_total, clv_historical_net)) AS position
    FROM customer_clv
    WHERE orders_count > 0
),

whole AS (
    SELECT
        count(*) AS customers,
        sum(value) AS value,
        sum(CAST(value AS DECIMAL(38, 4)) * position) AS weighted,
        max(currency_code) AS currency_code
    FROM ordered
),

-- Each customer belongs to the first percentile that has room for it.
steps AS (
    SELECT
        CAST(ceil(CAST(position AS DOUBLE) * 100 / customers) AS BIGINT) AS percentile,
        count(*) AS customers,
        sum(ordered.value) AS value,
        max(ordered.value) AS highest_value
    FROM ordered
    CROSS JOIN whole
    GROUP BY CAST(ceil(CAST(position AS DOUBLE) * 100 / customers) AS BIGINT)
),

percentiles AS (
    SELECT unnest(generate_series(0, 100)) AS percentile
),

curve AS (
    SELECT
        percentiles.percentile,
        coalesce(sum(steps.customers) OVER (ORDER BY percentiles.percentile), 0) AS customers,
        coalesce(sum(steps.value) OVER (ORDER BY percentiles.percentile), 0) AS value,
        max(steps.highest_value) OVER (ORDER BY percentiles.percentile) AS highest_value
    FROM percentiles
    LEFT JOIN steps ON steps.percentile = percentiles.percentile
)

SELECT
    curve.percentile,
    CAST(curve.customers AS BIGINT) AS customers_count,
    CAST(curve.customers AS DOUBLE) / whole.customers AS customers_share,
    CAST(curve.value AS DECIMAL(18, 4)) AS value,
    CASE WHEN whole.value > 0 THEN CAST(curve.value AS DOUBLE) / CAST(whole.value AS DOUBLE) END AS value_share,
    curve.highest_value,
    CASE
        WHEN whole.value > 0
            THEN 2 * CAST(whole.weighted AS DOUBLE) / (whole.customers * CAST(whole.value AS DOUBLE))
                - (whole.customers + 1) / CAST(whole.customers AS DOUBLE)
    END AS gini,
    whole.currency_code
FROM curve
CROSS JOIN whole
WHERE whole.customers > 0
