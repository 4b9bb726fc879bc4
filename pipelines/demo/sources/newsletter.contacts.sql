-- name: newsletter.contacts
-- grain: one row per subscribed e-mail address
-- description: Subscribers. Only a confirmed opt-in is consent.
WITH subscribers AS (
  SELECT
    normalize_email("E-Mail-Adresse") AS email,
    "Name" AS full_name,
    lower("Opt-in") = 'confirmed' AS consent_email,
    parse_timestamp("Angemeldet am", 'yyyy-mm-dd hh:mi:ss', 'Europe/Berlin') AS subscribed_at
  FROM raw
)

SELECT
  email AS record_id,
  email,
  max(full_name) AS full_name,
  bool_and(consent_email) AS consent_email,
  CASE WHEN bool_and(consent_email) THEN max(subscribed_at) END AS consent_email_at,
  min(subscribed_at) AS created_at,
  max(subscribed_at) AS updated_at
FROM subscribers
WHERE email IS NOT NULL
GROUP BY email
