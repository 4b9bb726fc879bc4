-- name: customer_orders_balance
-- description: What is attributed to customers adds up to the orders and contacts that have a customer.
WITH facts AS (
    SELECT
        count(*) FILTER (WHERE is_order) AS orders_count,
        count(*) FILTER (WHERE excluded_because IS NOT NULL) AS excluded_orders_count,
        coalesce(sum(net_revenue), 0) AS net_revenue,
        coalesce(sum(contribution), 0) AS contribution
    FROM order_facts
    WHERE customer_key IS NOT NULL
),

contacts_sum AS (
    SELECT coalesce(sum(cost), 0) AS cost
    FROM interaction_facts
    WHERE customer_key IS NOT NULL
),

customers_sum AS (
    SELECT
        coalesce(sum(orders_count), 0) AS orders_count,
        coalesce(sum(excluded_orders_count), 0) AS excluded_orders_count,
        coalesce(sum(net_revenue), 0) AS net_revenue,
        coalesce(sum(contribution), 0) AS contribution
    FROM customer_orders
)

SELECT facts.orders_count, customers_sum.orders_count AS attributed_orders_count
FROM facts
CROSS JOIN contacts_sum
CROSS JOIN customers_sum
WHERE facts.orders_count <> customers_sum.orders_count
    OR facts.excluded_orders_count <> customers_sum.excluded_orders_count
    OR facts.net_revenue <> customers_sum.net_revenue
    OR facts.contribution - contacts_sum.cost <> customers_sum.contribution
