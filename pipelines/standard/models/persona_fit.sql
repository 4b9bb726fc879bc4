-- name: persona_fit
-- grain: one row, if anybody has bought
-- description: The clusters behind `personas`: k-means on features of customers with an order, fitted to at most 20,000 of them, drawn by a hash
--   of the key, so that the same customers are drawn on every machine. Counts and money enter by their logarithm; every feature is then cut
--   at its 1st and 99th percentile and standardized, or the one with the largest unit would decide alone. How many personas there are, from
--   `persona_count_min` (3) to `persona_count_max` (8), the silhouette decides; `persona_seed` (1) starts the random numbers.
-- columns:
--   as_of_date [date]: The as-of day.
--   customers_fitted_count [customers]: Customers the clusters were fitted to.
--   persona_count [personas]: Clusters.
--   silhouette [score]: -1 to 1: how much closer customers are to their own cluster than to the next; null for a single cluster. Below
--     0.25 the clusters are a convenient division rather than groups that exist.
--   clusters: The clusters as JSON, for `kmeans_assign`: features in the order of `customer_personas`, sizes, centers, silhouettes by number.
WITH features AS (
    SELECT
        customer_key,
        make_array(
            ln(1.0 + days_since_last_order),
            ln(CAST(orders_count AS DOUBLE)),
            ln(1.0 + greatest(CAST(average_order_value AS DOUBLE), 0.0)),
            CASE WHEN gross + discount > 0 THEN CAST(discount AS DOUBLE) / CAST(gross + discount AS DOUBLE) ELSE 0.0 END,
            CASE WHEN gross > 0 THEN least(CAST(refunded AS DOUBLE) / CAST(gross AS DOUBLE), 1.0) ELSE 0.0 END,
            ln(1.0 + CAST(interactions_count AS DOUBLE) / orders_count)
        ) AS features
    FROM customer_orders
    WHERE orders_count > 0
),

sampled AS (
    SELECT features
    FROM features
    ORDER BY md5(customer_key), customer_key
    LIMIT 20000
),

fitted AS (
    SELECT kmeans_fit(
        features,
        CAST(setting('persona_count_min', 3) AS BIGINT),
        CAST(setting('persona_count_max', 8) AS BIGINT),
        CAST(setting('persona_seed', 1) AS BIGINT)
    ) AS clusters
    FROM sampled
)

SELECT
    as_of() AS as_of_date,
    CAST(json_get(clusters, 'points') AS BIGINT) AS customers_fitted_count,
    CAST(json_get(clusters, 'k') AS BIGINT) AS persona_count,
    CAST(json_get(clusters, 'silhouette') AS DOUBLE) AS silhouette,
    clusters
FROM fitted
WHERE clusters IS NOT NULL
