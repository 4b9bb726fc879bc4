-- name: personas_shares
-- description: The personas hold every customer with an order, and their shares sum to 1.
WITH summed AS (
    SELECT coalesce(sum(customers_count), 0) AS customers_count, coalesce(sum(customers_share), 1) AS customers_share
    FROM personas
),

buyers AS (
    SELECT count(*) AS customers_count FROM customer_orders WHERE orders_count > 0
)

SELECT summed.customers_count, buyers.customers_count AS expected_count
FROM summed
CROSS JOIN buyers
WHERE summed.customers_count <> buyers.customers_count OR abs(summed.customers_share - 1) > 1e-9
