-- name: product_affinity
-- grain: one row per product and related product, at most `affinity_related_max` (20) for a product
-- description: What is bought by the same customers. Pairs are counted over the lists of `customer_products` (not over baskets: what is bought
--   one after the other counts, too), for pairs of at least `affinity_customers_min` (3) customers. Related products are ranked by the
--   cosine, customers of both / sqrt(customers of one x customers of the other), which does not simply favor what everybody buys.
-- columns:
--   product_no: Number of the product in `products`.
--   product_id: The product.
--   related_rank: 1 the most related one.
--   related_product_no: Number of the related product.
--   related_product_id: The related product.
--   customers_count [customers]: Customers who bought both.
--   product_customers_count [customers]: Customers who bought the product.
--   related_customers_count [customers]: Customers who bought the related product.
--   cosine [score]: 0 to 1, 1 if always bought by the same customers.
--   lift [ratio]: How many times more customers have both than chance would give; 1 is chance.
WITH counted AS (
    SELECT
        unnest(pair_counts(
            arrow_cast(string_to_array(product_numbers, ' '), 'List(Int64)'),
            CAST(setting('affinity_customers_min', 3) AS BIGINT)
        )) AS pair,
        count(*) AS customers_count
    FROM customer_products
),

pairs AS (
    SELECT
        pair['high_item'] AS high_item,
        pair['low_item'] AS low_item,
        pair['rows_count'] AS rows_count,
        customers_count
    FROM counted
),

-- Each pair both ways, without the counts of single products, which are pairs with themselves.
directed AS (
    SELECT
        unnest(make_array(high_item, low_item)) AS product_no,
        unnest(make_array(low_item, high_item)) AS related_product_no,
        rows_count,
        customers_count
    FROM pairs
    WHERE high_item <> low_item
),

singles AS (
    SELECT high_item AS product_no, rows_count FROM pairs WHERE high_item = low_item
),

scored AS (
    SELECT
        directed.product_no,
        directed.related_product_no,
        directed.rows_count AS customers_count,
        own.rows_count AS product_customers_count,
        related.rows_count AS related_customers_count,
        CAST(directed.rows_count AS DOUBLE) / sqrt(CAST(own.rows_count AS DOUBLE) * CAST(related.rows_count AS DOUBLE)) AS cosine,
        CAST(directed.rows_count AS DOUBLE) * CAST(directed.customers_count AS DOUBLE)
            / (CAST(own.rows_count AS DOUBLE) * CAST(related.rows_count AS DOUBLE)) AS lift
    FROM directed
    INNER JOIN singles AS own ON own.product_no = directed.product_no
    INNER JOIN singles AS related ON related.product_no = directed.related_product_no
),

final AS (
    SELECT
        product_no,
        related_product_no,
        customers_count,
        product_customers_count,
        related_customers_count,
        cosine,
        lift,
        row_number() OVER (PARTITION BY product_no ORDER BY cosine DESC, customers_count DESC, related_product_no) AS related_rank
    FROM scored
)

SELECT
    final.product_no,
    products.product_id,
    final.related_rank,
    final.related_product_no,
    related.product_id AS related_product_id,
    final.customers_count,
    final.product_customers_count,
    final.related_customers_count,
    final.cosine,
    final.lift
FROM final
INNER JOIN products ON products.product_no = final.product_no
INNER JOIN products AS related ON related.product_no = final.related_product_no
WHERE final.related_rank <= CAST(setting('affinity_related_max', 20) AS BIGINT)
ORDER BY product_no, related_rank
