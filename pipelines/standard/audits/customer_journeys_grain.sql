-- name: customer_journeys_grain
-- description: `customer_journeys` has each customer exactly once, with a stage, and only customers with an order have bought.
SELECT customer_orders.customer_key, count(customer_journeys.customer_key) AS rows_count
FROM customer_orders
FULL JOIN customer_journeys ON customer_journeys.customer_key = customer_orders.customer_key
GROUP BY customer_orders.customer_key
HAVING count(customer_journeys.customer_key) <> 1
    OR customer_orders.customer_key IS NULL
    OR min(journey_stage) NOT IN ('awareness', 'consideration', 'purchase', 'retention', 'advocacy')
    OR (max(orders_count) = 0 AND min(journey_stage) IN ('purchase', 'retention', 'advocacy'))
