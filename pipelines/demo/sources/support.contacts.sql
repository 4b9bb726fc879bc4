-- name: support.contacts
-- grain: one row per requester
-- description: People who opened tickets, as their latest ticket names them.
WITH requesters AS (
  SELECT
    json_get("requester", 'id') AS record_id,
    json_get("requester", 'name') AS full_name,
    json_get("requester", 'email') AS email,
    json_get("requester", 'phone') AS phone,
    parse_timestamp("created_at", 'rfc3339') AS created_at,
    parse_timestamp("updated_at", 'rfc3339') AS updated_at,
    "id" AS ticket_id
  FROM raw
),

ranked AS (
  SELECT
    record_id,
    full_name,
    email,
    phone,
    min(created_at) OVER (PARTITION BY record_id) AS created_at,
    updated_at,
    row_number() OVER (PARTITION BY record_id ORDER BY updated_at DESC, ticket_id DESC) AS recency
  FROM requesters
  WHERE record_id IS NOT NULL
)

SELECT record_id, full_name, email, phone, created_at, updated_at
FROM ranked
WHERE recency = 1
