-- name: products
-- grain: one row per product, the best known `products_max` (2000)
-- description: The products that recommendations are made of, by how many order lines they stand on. A product is an article number (`sku`), or
--   its name where the number is missing. Lines of orders that do not count, returns and lines after the as-of day are left out, and so are
--   lines of orders older than `next_product_days` (1095).
-- columns:
--   product_no: Number by rank, 1 the product on most lines; of equal ones the first by id. It changes from run to run: join on `product_id`.
--   product_id: Article number, or name.
--   product_name: Name; where it differs from line to line, the last by alphabet.
--   product_category: Category, chosen likewise.
--   lines_count [lines]: Order lines.
WITH excluded AS (
    SELECT source, order_id FROM orders
    WHERE is_cancelled IS TRUE
        OR local_date(ordered_at) > as_of()
        OR CAST(local_date(ordered_at) AS INT) <= CAST(as_of() AS INT) - CAST(setting('next_product_days', 1095) AS INT)
),

counted AS (
    SELECT
        coalesce(order_lines.sku, order_lines.name) AS product_id,
        max(order_lines.name) AS product_name,
        max(order_lines.category) AS product_category,
        count(*) AS lines_count
    FROM order_lines
    LEFT ANTI JOIN excluded ON excluded.source = order_lines.source AND excluded.order_id = order_lines.order_id
    WHERE order_lines.quantity > 0 AND coalesce(order_lines.sku, order_lines.name) IS NOT NULL
    GROUP BY product_id
),

final AS (
    SELECT
        row_number() OVER (ORDER BY lines_count DESC, product_id) AS product_no,
        product_id,
        product_name,
        product_category,
        lines_count
    FROM counted
)

SELECT product_no, product_id, product_name, product_category, lines_count
FROM final
WHERE product_no <= CAST(setting('products_max', 2000) AS BIGINT)
ORDER BY product_no
