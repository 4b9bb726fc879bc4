-- name: support.interactions
-- grain: one row per ticket
-- unit: EUR
-- description: Tickets in their latest state; the export holds some of them twice.
WITH tickets AS (
  SELECT
    "id" AS interaction_id,
    parse_timestamp("created_at", 'rfc3339') AS occurred_at,
    json_get("requester", 'id') AS contact_record_id,
    CASE json_get("via", 'channel') WHEN 'voice' THEN 'phone' ELSE json_get("via", 'channel') END AS channel,
    parse_decimal(json_get("metrics", 'handling_cost'), 'en') AS cost,
    json_get("tags", '[0]') AS topic,
    row_number() OVER (PARTITION BY "id" ORDER BY "updated_at" DESC, "_file", "_line") AS recency
  FROM raw
)

SELECT
  interaction_id,
  occurred_at,
  contact_record_id,
  'ticket' AS kind,
  channel,
  cost,
  topic
FROM tickets
WHERE recency = 1
