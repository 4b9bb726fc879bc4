-- name: customer_orders_balance
-- description: What is attributed to customers adds up to the orders that have a customer.
WITH facts AS (
    SELECT count(*) FILTER (WHERE is_order) AS orders_count, coalesce(sum(net_revenue), 0) AS net_revenue
    FROM order_facts
    WHERE customer_key IS NOT NULL
),

customers_sum AS (
    SELECT coalesce(sum(orders_count), 0) AS orders_count, coalesce(sum(net_revenue), 0) AS net_revenue
    FROM customer_orders
)

SELECT facts.orders_count, customers_sum.orders_count AS attributed_orders_count
FROM facts
CROSS JOIN customers_sum
WHERE facts.orders_count <> customers_sum.orders_count OR facts.net_revenue <> customers_sum.net_revenue
