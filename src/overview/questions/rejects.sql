-- name: rejects
-- reads: rejects.source, rejects.level, rejects.reason, rejects.field
-- description: What was not taken, by source and reason; the 100 most frequent.
SELECT source, level, reason, field, count(*) AS rows_count
FROM rejects
GROUP BY source, level, reason, field
ORDER BY rows_count DESC, source, reason
LIMIT 100
