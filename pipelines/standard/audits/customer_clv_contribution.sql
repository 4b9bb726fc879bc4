-- name: customer_clv_contribution
-- description: The value so far is the contribution of `customer_orders`, customer by customer.
SELECT customer_clv.customer_key
FROM customer_clv
INNER JOIN customer_orders ON customer_orders.customer_key = customer_clv.customer_key
WHERE customer_clv.clv_historical_net <> customer_orders.contribution
