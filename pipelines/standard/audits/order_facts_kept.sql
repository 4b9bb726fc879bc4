-- name: order_facts_kept
-- description: No order up to the as-of day is lost, excluded or not.
WITH given AS (
    SELECT count(*) AS orders_count
    FROM orders
    WHERE local_date(ordered_at) <= as_of()
),

kept AS (
    SELECT count(*) AS orders_count
    FROM order_facts
)

SELECT given.orders_count, kept.orders_count AS kept_count
FROM given
CROSS JOIN kept
WHERE given.orders_count <> kept.orders_count
