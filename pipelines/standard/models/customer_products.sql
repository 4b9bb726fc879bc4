-- name: customer_products
-- grain: one row per customer who bought one of `products` within `next_product_days`
-- description: What each customer bought last, as numbers of `products`: the newest `customer_products_max` (30) of them, each once. A helper of
--   `product_affinity` and `customer_next_product`, so that orders and their lines are joined once; the bounds on products and on the
--   length of a list are what keeps the cost of pairs in hand.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   products_count [products]: How many are listed.
--   last_product_no: The newest of them, as `product_no`.
--   product_numbers: All of them as `product_no`, the newest first, separated by blanks.
WITH bought AS (
    SELECT
        order_facts.customer_key,
        array_agg(CAST(order_facts.order_date AS INT) * 4294967296 + products.product_no) AS dated
    FROM order_lines
    INNER JOIN products ON products.product_id = coalesce(order_lines.sku, order_lines.name)
    INNER JOIN order_facts ON order_facts.order_id = order_lines.order_id AND order_facts.source = order_lines.source
    WHERE order_facts.is_order
        AND order_facts.customer_key IS NOT NULL
        AND CAST(order_facts.order_date AS INT) > CAST(as_of() AS INT) - CAST(setting('next_product_days', 1095) AS INT)
        AND order_lines.quantity > 0
    GROUP BY order_facts.customer_key
),

final AS (
    SELECT customer_key, newest_items(dated, CAST(setting('customer_products_max', 30) AS BIGINT)) AS items
    FROM bought
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    CAST(cardinality(items) AS BIGINT) AS products_count,
    items[1] AS last_product_no,
    array_to_string(items, ' ') AS product_numbers
FROM final
