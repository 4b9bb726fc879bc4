-- name: refusals
-- reads: possible_links.reason
-- description: Pairs that were looked at and not taken, by reason.
SELECT reason, count(*) AS pairs_count
FROM possible_links
GROUP BY reason
ORDER BY pairs_count DESC, reason
