-- name: customer_clv_values
-- description: Deciles run from 1 to 10, exactly the customers with an order are ranked, the total is what its parts give, bounds enclose
--   what they bound, and a residual value has the sign of its margin.
SELECT customer_key
FROM customer_clv
WHERE clv_decile < 1 OR clv_decile > 10
    OR (orders_count > 0) <> (clv_decile IS NOT NULL)
    OR (orders_count > 0) <> (clv_tier IS NOT NULL)
    OR (orders_count > 0) <> (clv_historical_discounted IS NOT NULL)
    OR (clv_residual_36m IS NULL) <> (clv_total IS NULL)
    OR (clv_residual_36m IS NULL) <> (horizon_days = 0)
    OR clv_total <> clv_historical_net + clv_residual_36m
    OR clv_residual_12m NOT BETWEEN clv_residual_12m_low AND clv_residual_12m_high
    OR clv_residual_36m NOT BETWEEN clv_residual_36m_low AND clv_residual_36m_high
    OR CAST(clv_residual_36m AS DOUBLE) * margin_rate < 0
