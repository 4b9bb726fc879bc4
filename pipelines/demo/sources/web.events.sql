-- name: web.events
-- grain: one row per event
-- description: Web events. GA4 gives them no id: browser, time, name and place in the bundle together are one.
SELECT
  concat("user_pseudo_id", '-', "event_timestamp", '-', "event_name", '-', "event_bundle_sequence_id") AS event_id,
  parse_timestamp("event_timestamp", 'unix_us') AS occurred_at,
  "user_pseudo_id" AS contact_record_id,
  "user_pseudo_id" AS device_id,
  "user_id" AS user_id,
  ga4_param("event_params", 'ga_session_id') AS session_id,
  "event_name" AS name,
  ga4_param("event_params", 'page_location') AS page,
  json_get("traffic_source", 'name') AS campaign,
  concat(json_get("traffic_source", 'source'), ' / ', json_get("traffic_source", 'medium')) AS source_medium
FROM raw
WHERE "user_pseudo_id" IS NOT NULL
