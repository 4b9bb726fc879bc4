-- name: products_rank
-- description: `products` numbers each product once, from 1 without a gap.
SELECT count(*) AS products_count
FROM products
HAVING count(*) <> count(DISTINCT product_id) OR count(*) <> count(DISTINCT product_no) OR max(product_no) <> count(*) OR min(product_no) <> 1
