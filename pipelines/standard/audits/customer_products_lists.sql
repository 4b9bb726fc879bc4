-- name: customer_products_lists
-- description: Each customer stands once in `customer_products`, with at least one product and with as many as counted.
SELECT customer_key
FROM customer_products
GROUP BY customer_key
HAVING count(*) <> 1
    OR min(products_count) < 1
    OR max(products_count) <> max(cardinality(string_to_array(product_numbers, ' ')))
