-- name: clv_tiers
-- reads: customer_clv.clv_tier, customer_clv.clv_historical_net
-- description: Customers and their value so far by tier.
SELECT clv_tier, count(*) AS customers_count, sum(clv_historical_net) AS value_sum,
    avg(CAST(clv_historical_net AS DOUBLE)) AS value_average
FROM customer_clv
WHERE clv_tier IS NOT NULL
GROUP BY clv_tier
ORDER BY value_average DESC, clv_tier
