-- name: shop.contacts
-- grain: one row per e-mail address that ordered
-- description: The shop's export of orders knows people only by their orders: the newest order of an address gives its contact.
WITH orders AS (
  SELECT
    normalize_email("Email") AS email,
    "Billing Name" AS full_name,
    normalize_phone("Billing Phone", 'DE') AS phone,
    "Billing Street" AS street,
    "Billing Zip" AS postcode,
    "Billing City" AS city,
    "Billing Country" AS country,
    parse_timestamp("Created at", 'yyyy-mm-dd hh:mi:ss', 'Europe/Berlin') AS ordered_at,
    "Name" AS order_id
  FROM raw
  -- Only the first row of an order carries the order's fields.
  WHERE "Total" <> ''
),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY email ORDER BY ordered_at DESC, order_id DESC) AS position
  FROM orders
  WHERE email IS NOT NULL
),
final AS (
  SELECT email AS record_id, email, full_name, phone, street, postcode, city, country, ordered_at AS updated_at
  FROM ranked
  WHERE position = 1
)
SELECT * FROM final
