-- name: weights
-- reads: links.match_weight, possible_links.match_weight
-- description: Pairs by whole bits of match weight, linked or not; the ends collect what lies beyond.
WITH pairs AS (
    SELECT match_weight, 'linked' AS outcome FROM links
    UNION ALL
    SELECT match_weight, 'not linked' AS outcome FROM possible_links
)

SELECT greatest(least(CAST(floor(match_weight) AS BIGINT), 40), -20) AS weight, outcome, count(*) AS pairs_count
FROM pairs
GROUP BY weight, outcome
ORDER BY weight, outcome
