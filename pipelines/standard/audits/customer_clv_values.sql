-- name: customer_clv_values
-- description: Deciles run from 1 to 10, exactly the customers with an order are ranked, and the value is what its parts give.
SELECT customer_key
FROM customer_clv
WHERE clv_decile < 1 OR clv_decile > 10
    OR (orders_count > 0) <> (clv_decile IS NOT NULL)
    OR (orders_count > 0) <> (clv_tier IS NOT NULL)
    OR (orders_count > 0) <> (clv_historical_discounted IS NOT NULL)
    OR clv_historical_net <> net_revenue - tax - cost - cost_to_serve
