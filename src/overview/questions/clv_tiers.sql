-- name: clv_tiers
-- reads: clv_tiers.clv_tier, clv_tiers.customers_count, clv_tiers.customers_share, clv_tiers.clv_historical_net, clv_tiers.clv_residual_12m, clv_tiers.value, clv_tiers.value_share, clv_tiers.avg_value
-- description: Value tiers, the most valuable first.
SELECT clv_tier, customers_count, customers_share, clv_historical_net, clv_residual_12m, value, value_share, avg_value
FROM clv_tiers
ORDER BY avg_value DESC, clv_tier
LIMIT 20
