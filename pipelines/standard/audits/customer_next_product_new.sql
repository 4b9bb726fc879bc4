-- name: customer_next_product_new
-- description: A recommendation is no product that the customer's list holds, because of one that it does, once for each customer.
WITH named AS (
    SELECT
        customer_next_product.customer_key,
        concat(' ', customer_products.product_numbers, ' ') AS held,
        concat(' ', CAST(products.product_no AS VARCHAR), ' ') AS next_product,
        concat(' ', CAST(origin.product_no AS VARCHAR), ' ') AS because_of
    FROM customer_next_product
    LEFT JOIN customer_products ON customer_products.customer_key = customer_next_product.customer_key
    LEFT JOIN products ON products.product_id = customer_next_product.next_product_id
    LEFT JOIN products AS origin ON origin.product_id = customer_next_product.because_of_product_id
)

SELECT customer_key
FROM named
GROUP BY customer_key
HAVING count(*) <> 1 OR max(strpos(held, next_product)) <> 0 OR min(strpos(held, because_of)) = 0 OR count(held) <> 1
