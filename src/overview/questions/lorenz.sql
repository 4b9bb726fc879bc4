-- name: lorenz
-- reads: clv_distribution.percentile, clv_distribution.value_share, clv_distribution.gini
-- description: Share of the value that the customers up to each percentile have.
SELECT percentile, max(value_share) AS value_share, max(gini) AS gini
FROM clv_distribution
WHERE percentile IS NOT NULL
GROUP BY percentile
ORDER BY percentile
