-- name: web.contacts
-- grain: one row per browser
-- description: Browsers, joined to a shop account by a log-in. A browser in which two accounts logged in says nothing about either.
SELECT
  "user_pseudo_id" AS record_id,
  "user_pseudo_id" AS device_id,
  CASE WHEN min("user_id") = max("user_id") THEN min("user_id") END AS user_id,
  parse_timestamp(min("event_timestamp"), 'unix_us') AS created_at,
  parse_timestamp(max("event_timestamp"), 'unix_us') AS updated_at
FROM raw
WHERE "user_pseudo_id" IS NOT NULL
GROUP BY "user_pseudo_id"
