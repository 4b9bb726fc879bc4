-- name: product_affinity_values
-- description: No product goes with itself, and cosine and lift agree with their counts.
SELECT product_no, related_product_no
FROM product_affinity
WHERE product_no = related_product_no
    OR customers_count > product_customers_count
    OR customers_count > related_customers_count
    OR cosine <= 0 OR cosine > 1.000000001
    OR lift <= 0
UNION ALL
SELECT product_no, related_product_no FROM product_affinity GROUP BY product_no, related_product_no HAVING count(*) <> 1
