-- name: customer_next_product
-- grain: one row per customer with a recommendation
-- description: The product that fits best to what a customer has: among the products related to those of `customer_products`, the one not among
--   them with the highest sum of cosines over them (item-to-item filtering). A product bought longer ago than the list reaches may be named
--   again. It is no forecast and has no probability: compare scores within a product or a customer, not with a share. Personal: contact
--   only who is activatable in `customer_segments`.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   next_product_id: The product.
--   next_product_name: Its name.
--   next_product_score [score]: Sum of the cosines.
--   because_of_product_id: The product of the customer that speaks most for it.
--   because_of_product_name: Its name.
--   next_product_reason: Reason in words: `bought with <product>`.
-- One text for all customers: as a view it is shared by the rows, as a plain text each row would have a copy.
WITH neighbors AS (
    SELECT arrow_cast(string_agg(
        concat(CAST(product_no AS VARCHAR), ':', CAST(related_product_no AS VARCHAR), ':', CAST(cosine AS VARCHAR)),
        ' ' ORDER BY product_no, related_rank
    ), 'Utf8View') AS neighbors
    FROM product_affinity
),

chosen AS (
    SELECT
        customer_products.customer_key,
        next_item(
            arrow_cast(string_to_array(customer_products.product_numbers, ' '), 'List(Int64)'),
            (SELECT neighbors FROM neighbors)
        ) AS next
    FROM customer_products
),

final AS (
    SELECT customer_key, next['item'] AS item, next['because_of'] AS because_of, next['score'] AS score
    FROM chosen
    WHERE next IS NOT NULL
)

SELECT
    final.customer_key,
    as_of() AS as_of_date,
    products.product_id AS next_product_id,
    products.product_name AS next_product_name,
    final.score AS next_product_score,
    origin.product_id AS because_of_product_id,
    origin.product_name AS because_of_product_name,
    concat('bought with ', coalesce(origin.product_name, origin.product_id)) AS next_product_reason
FROM final
INNER JOIN products ON products.product_no = final.item
INNER JOIN products AS origin ON origin.product_no = final.because_of
