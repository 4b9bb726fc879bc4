-- name: shop_orders.orders
-- grain: one row per order
-- unit: the currency of the order
-- description: Order heads: the rows with an `Id`. `Total` contains tax and shipping; goods are what is left without shipping, and their
--   tax is their share of the order's tax. The shop marks tests, staff and wholesale by tags. It knows no cost of goods: 45 % of the price
--   without tax, says the roastery's calculation. Who buys at the till brings no parcel.
WITH heads AS (
  SELECT
    "Name" AS order_id,
    normalize_email("Email") AS email,
    parse_timestamp("Created at", 'yyyy-mm-dd hh:mi:ss') AS ordered_at,
    lower("Financial Status") AS status,
    "Cancelled at" IS NOT NULL OR lower("Financial Status") = 'voided' AS is_cancelled,
    parse_timestamp("Cancelled at", 'yyyy-mm-dd hh:mi:ss') AS cancelled_at,
    concat(', ', lower(coalesce("Tags", '')), ',') AS tags,
    CASE WHEN "Source" = 'pos' THEN 'store' ELSE 'web' END AS channel,
    upper("Currency") AS currency,
    parse_decimal("Total", 'en') AS total,
    coalesce(parse_decimal("Shipping", 'en'), 0) AS shipping,
    coalesce(parse_decimal("Discount Amount", 'en'), 0) AS discount,
    coalesce(parse_decimal("Taxes", 'en'), 0) AS taxes,
    coalesce(parse_decimal("Refunded Amount", 'en'), 0) AS refunded
  FROM raw
  WHERE "Id" IS NOT NULL
)

SELECT
  order_id,
  email AS contact_record_id,
  email,
  ordered_at,
  status,
  is_cancelled,
  cancelled_at,
  strpos(tags, ', test,') > 0 AS is_test,
  strpos(tags, ', mitarbeiter,') > 0 AS is_staff,
  strpos(tags, ', b2b,') > 0 AS is_business,
  channel,
  currency,
  CAST(total - shipping AS DECIMAL(18, 4)) AS gross,
  CAST(discount AS DECIMAL(18, 4)) AS discount,
  CASE
    WHEN total > 0
      THEN CAST(round(CAST(taxes AS DOUBLE) * CAST(total - shipping AS DOUBLE) / CAST(total AS DOUBLE), 2) AS DECIMAL(18, 4))
  END AS tax,
  CAST(shipping AS DECIMAL(18, 4)) AS shipping,
  -- Shipping that was paid back is no refund of goods.
  CAST(least(refunded, total - shipping) AS DECIMAL(18, 4)) AS refunded,
  CASE
    WHEN total > 0
      THEN CAST(
        round(0.45 * (1 - CAST(taxes AS DOUBLE) / CAST(total AS DOUBLE)) * CAST(total - shipping AS DOUBLE), 2) AS DECIMAL(18, 4)
      )
  END AS cost,
  CASE WHEN channel = 'store' THEN CAST(0 AS DECIMAL(18, 4)) END AS shipping_cost
FROM heads
