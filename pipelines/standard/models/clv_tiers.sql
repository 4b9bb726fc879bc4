-- name: clv_tiers
-- grain: one row per value tier that has a customer
-- unit: reporting currency
-- description: Size and worth of each value tier of `customer_clv`.
-- columns:
--   clv_tier: platinum, gold, silver or bronze.
--   customers_count [customers]: Customers in the tier.
--   customers_share [share]: Of all customers with an order.
--   clv_historical_net [reporting currency]: Contribution of the tier so far.
--   clv_residual_12m [reporting currency]: Expected contribution of twelve months; null where nothing was forecast.
--   clv_residual_36m [reporting currency]: Expected contribution of 36 months; null where nothing was forecast.
--   value [reporting currency]: Total value, or history where nothing was forecast.
--   value_share [share]: Of the value of all customers with an order; null where that is not positive.
--   avg_value [reporting currency]: Mean value of a customer of the tier.
--   currency_code: The reporting currency.
WITH tiers AS (
    SELECT
        clv_tier,
        count(*) AS customers,
        sum(clv_historical_net) AS historical,
        sum(clv_residual_12m) AS residual_12m,
        sum(clv_residual_36m) AS residual_36m,
        sum(coalesce(clv_total, clv_historical_net)) AS value,
        max(currency_code) AS currency_code
    FROM customer_clv
    WHERE clv_tier IS NOT NULL
    GROUP BY clv_tier
),

whole AS (
    SELECT sum(customers) AS customers, sum(value) AS value
    FROM tiers
)

SELECT
    tiers.clv_tier,
    tiers.customers AS customers_count,
    CAST(tiers.customers AS DOUBLE) / whole.customers AS customers_share,
    CAST(tiers.historical AS DECIMAL(18, 4)) AS clv_historical_net,
    CAST(tiers.residual_12m AS DECIMAL(18, 4)) AS clv_residual_12m,
    CAST(tiers.residual_36m AS DECIMAL(18, 4)) AS clv_residual_36m,
    CAST(tiers.value AS DECIMAL(18, 4)) AS value,
    CASE WHEN whole.value > 0 THEN CAST(tiers.value AS DOUBLE) / CAST(whole.value AS DOUBLE) END AS value_share,
    CAST(tiers.value / tiers.customers AS DECIMAL(18, 4)) AS avg_value,
    tiers.currency_code
FROM tiers
CROSS JOIN whole
