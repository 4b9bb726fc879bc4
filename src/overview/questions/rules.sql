-- name: rules
-- reads: links.rule
-- description: Links by the rule that paired them.
SELECT rule, count(*) AS pairs_count
FROM links
GROUP BY rule
ORDER BY pairs_count DESC, rule
LIMIT 30
