-- name: shop.orders
-- grain: one row per order
-- description: The export has one row per line item. The order's own fields stand on the first row of each order and are empty on the
--   others, so max() over the order takes the value that is there, and every amount counts once. max() of a text passes over nulls and
--   sorts the empty text first, so it works whether empty fields are read as null or as ''.
WITH collapsed AS (
  SELECT
    "Name" AS order_id,
    max("Email") AS email,
    max("Created at") AS created_at,
    max("Financial Status") AS financial_status,
    max("Cancelled at") AS cancelled_at,
    max("Currency") AS currency,
    max("Subtotal") AS subtotal,
    max("Shipping") AS shipping,
    max("Taxes") AS taxes,
    max("Discount Amount") AS discount,
    max("Refunded Amount") AS refunded
  FROM raw
  GROUP BY "Name"
),
final AS (
  SELECT
    order_id,
    normalize_email(email) AS contact_record_id,
    normalize_email(email) AS email,
    parse_timestamp(created_at, 'yyyy-mm-dd hh:mi:ss', 'Europe/Berlin') AS ordered_at,
    lower(financial_status) AS status,
    coalesce(cancelled_at, '') <> '' AS is_cancelled,
    parse_timestamp(nullif(cancelled_at, ''), 'yyyy-mm-dd hh:mi:ss', 'Europe/Berlin') AS cancelled_at,
    'web' AS channel,
    currency,
    parse_decimal(subtotal, 'en') AS gross,
    parse_decimal(discount, 'en') AS discount,
    parse_decimal(taxes, 'en') AS tax,
    parse_decimal(shipping, 'en') AS shipping,
    parse_decimal(refunded, 'en') AS refunded
  FROM collapsed
)
SELECT * FROM final
