-- name: clv_tiers_total
-- description: Every customer with an order is in one tier, and shares add up to 1.
WITH customers AS (
    SELECT count(*) AS customers
    FROM customer_clv
    WHERE orders_count > 0
),

tiers AS (
    SELECT coalesce(sum(customers_count), 0) AS customers, sum(customers_share) AS customers_share, sum(value_share) AS value_share
    FROM clv_tiers
)

SELECT tiers.customers
FROM tiers
CROSS JOIN customers
WHERE tiers.customers <> customers.customers
    OR abs(tiers.customers_share - 1) > 1e-9
    OR abs(tiers.value_share - 1) > 1e-9
