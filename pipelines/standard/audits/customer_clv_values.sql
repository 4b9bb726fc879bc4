-- name: customer_clv_values
-- description: Deciles run from 1 to 10, exactly the customers with an order are ranked, and the value is what its parts give.
SELECT customer_clv.customer_key
FROM customer_clv
INNER JOIN customer_orders ON customer_orders.customer_key = customer_clv.customer_key
WHERE clv_decile < 1 OR clv_decile > 10
    OR (customer_clv.orders_count > 0) <> (clv_decile IS NOT NULL)
    OR (customer_clv.orders_count > 0) <> (clv_tier IS NOT NULL)
    OR (customer_clv.orders_count > 0) <> (clv_historical_discounted IS NOT NULL)
    OR clv_historical_net <> customer_orders.contribution
