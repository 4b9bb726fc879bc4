-- name: order_counts
-- grain: one row per customer with an order
-- unit: gross in the currency of the order
-- description: How often and how much each customer ordered; an order is large from setting('large_order').
-- columns:
--   customer_key: The customer.
--   orders_count [orders]: Orders that were not cancelled.
--   gross_sum [currency of the order]: What they charged, tax included.
--   large_orders_count [orders]: Orders of at least the setting `large_order`.
WITH counted AS (
  SELECT
    customer_key,
    count(*) AS orders_count,
    sum(gross) AS gross_sum,
    count(CASE WHEN gross >= setting('large_order') THEN 1 END) AS large_orders_count
  FROM orders
  WHERE customer_key IS NOT NULL AND NOT coalesce(is_cancelled, false)
  GROUP BY customer_key
),
final AS (
  SELECT customer_key, orders_count, gross_sum, large_orders_count
  FROM counted
)
SELECT customer_key, orders_count, gross_sum, large_orders_count FROM final
