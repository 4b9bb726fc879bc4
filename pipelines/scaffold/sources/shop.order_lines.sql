-- name: shop.order_lines
-- grain: one row per line of an order
-- description: The export numbers no lines, so they are numbered by article inside their order: the same export gives the same numbers.
--   Where an order field is needed on every line, carry it down with max("Currency") OVER (PARTITION BY "Name").
SELECT
  "Name" AS order_id,
  row_number() OVER (PARTITION BY "Name" ORDER BY "Lineitem sku", "Lineitem name", "Lineitem quantity") AS line_no,
  "Lineitem sku" AS sku,
  "Lineitem name" AS name,
  parse_decimal("Lineitem quantity", 'en') AS quantity,
  parse_decimal("Lineitem price", 'en') AS unit_price
FROM raw
