-- name: overlap
-- reads: identities.customer_key, identities.source
-- description: Customers by the set of sources that know them; the 20 most frequent sets. A set is a number with one bit a source.
WITH sources AS (
    SELECT source, row_number() OVER (ORDER BY source) - 1 AS position
    FROM (SELECT DISTINCT source FROM identities) AS every_source
),

known AS (
    SELECT identities.customer_key, bit_or(CAST(1 AS BIGINT) << CAST(sources.position AS BIGINT)) AS mask
    FROM identities
    INNER JOIN sources ON sources.source = identities.source
    GROUP BY identities.customer_key
),

counted AS (
    SELECT mask, count(*) AS customers_count
    FROM known
    GROUP BY mask
    ORDER BY customers_count DESC, mask
    LIMIT 20
)

SELECT string_agg(sources.source, ' + ' ORDER BY sources.source) AS known_to, count(*) AS sources_count, max(customers_count) AS customers_count
FROM counted
INNER JOIN sources ON ((counted.mask >> CAST(sources.position AS BIGINT)) & 1) = 1
GROUP BY counted.mask
ORDER BY customers_count DESC, known_to
