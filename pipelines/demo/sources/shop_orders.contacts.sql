-- name: shop_orders.contacts
-- grain: one row per e-mail address that ordered
-- description: Buyers as their latest order names them. Only the first row of an order has an `Id` and a billing address; orders of
--   the till have no address and make no contact.
WITH buyers AS (
  SELECT
    normalize_email("Email") AS email,
    parse_timestamp("Created at", 'yyyy-mm-dd hh:mi:ss') AS ordered_at,
    "Id" AS id,
    "Billing Name" AS full_name,
    "Billing Company" AS company,
    "Billing Address1" AS street,
    strip_apostrophe("Billing Zip") AS postcode,
    "Billing City" AS city,
    "Billing Country" AS country,
    strip_apostrophe("Billing Phone") AS phone
  FROM raw
  WHERE "Id" IS NOT NULL AND "Email" IS NOT NULL
),

final AS (
  SELECT
    email AS record_id,
    email,
    first_value(full_name ORDER BY ordered_at DESC, id DESC) AS full_name,
    first_value(company ORDER BY ordered_at DESC, id DESC) AS company,
    first_value(street ORDER BY ordered_at DESC, id DESC) AS street,
    first_value(postcode ORDER BY ordered_at DESC, id DESC) AS postcode,
    first_value(city ORDER BY ordered_at DESC, id DESC) AS city,
    first_value(country ORDER BY ordered_at DESC, id DESC) AS country,
    first_value(phone ORDER BY ordered_at DESC, id DESC) AS phone,
    min(ordered_at) AS created_at,
    max(ordered_at) AS updated_at
  FROM buyers
  WHERE email IS NOT NULL
  GROUP BY email
)

SELECT record_id, email, full_name, company, street, postcode, city, country, phone, created_at, updated_at
FROM final
