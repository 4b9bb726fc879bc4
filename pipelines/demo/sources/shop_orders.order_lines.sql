-- name: shop_orders.order_lines
-- grain: one row per line item of an order
-- unit: EUR
-- description: Every row of the export is a line item. The export numbers none, so they are numbered by what they hold: the same lines
--   give the same numbers in whatever order and file they come.
SELECT
  "Name" AS order_id,
  row_number() OVER (
    PARTITION BY "Name"
    ORDER BY "Lineitem sku", "Lineitem name", "Lineitem quantity", "Lineitem price", "Lineitem discount"
  ) AS line_no,
  "Lineitem sku" AS sku,
  "Lineitem name" AS name,
  CASE split_part("Lineitem sku", '-', 1)
    WHEN 'KAF' THEN 'Kaffee'
    WHEN 'TEE' THEN 'Tee'
    WHEN 'MUE' THEN 'Mühlen'
    WHEN 'MAS' THEN 'Maschinen'
    WHEN 'ZUB' THEN 'Zubehör'
    WHEN 'GES' THEN 'Geschenke'
  END AS category,
  parse_decimal("Lineitem quantity", 'en') AS quantity,
  parse_decimal("Lineitem price", 'en') AS unit_price,
  parse_decimal("Lineitem discount", 'en') AS discount
FROM raw
WHERE "Lineitem name" IS NOT NULL
