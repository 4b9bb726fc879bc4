-- name: shop_orders.order_lines
-- grain: one row per line item of an order
-- unit: EUR
-- description: Every row of the export is a line item; lines are numbered as they stand in the file.
SELECT
  "Name" AS order_id,
  row_number() OVER (PARTITION BY "Name" ORDER BY "_file", "_line") AS line_no,
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
