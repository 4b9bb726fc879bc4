-- name: clv_distribution_ends
-- description: The Lorenz curve goes from nobody to everybody, and its whole is the value of `clv_tiers`.
WITH whole AS (
    SELECT sum(customers_count) AS customers, sum(value) AS value
    FROM clv_tiers
)

SELECT percentile
FROM clv_distribution
CROSS JOIN whole
WHERE (percentile = 0 AND (customers_count <> 0 OR clv_distribution.value <> 0))
    OR (percentile = 100 AND (customers_count <> whole.customers OR clv_distribution.value <> whole.value))
    OR percentile NOT BETWEEN 0 AND 100
UNION ALL
SELECT max(percentile) AS percentile
FROM clv_distribution
HAVING count(*) NOT IN (0, 101)
