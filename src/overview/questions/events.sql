-- name: events
-- reads: key_events.version, key_events.event, key_events.cause
-- description: What happened to keys in the last twelve versions, by event and cause.
WITH newest AS (
    SELECT max(version) AS version FROM key_events
)

SELECT key_events.version, key_events.event, key_events.cause, count(*) AS keys_count
FROM key_events
CROSS JOIN newest
WHERE key_events.version > newest.version - 12
GROUP BY key_events.version, key_events.event, key_events.cause
ORDER BY key_events.version, key_events.event, key_events.cause
