-- name: clv_tiers
-- reads: customer_clv.clv_tier, customer_clv.clv_historical_net
-- description: Customers and their value so far by tier.
SELECT clv_tier, count(*) AS customers_count, sum(clv_historical_net) AS clv_historical_net
FROM customer_clv
WHERE clv_tier IS NOT NULL
GROUP BY clv_tier
ORDER BY sum(clv_historical_net) / count(*) DESC, clv_tier
