-- name: club.subscriptions
-- grain: one row per contract and price
-- unit: EUR
-- description: The coffee club, known by the accounts of the shop.
SELECT
  "id" AS subscription_id,
  strip_apostrophe("Customer ID") AS contact_record_id,
  'shop_customers' AS contact_source,
  "Plan" AS plan,
  parse_timestamp("Start (UTC)", 'yyyy-mm-dd hh:mi:ss') AS started_at,
  parse_timestamp("Ended At (UTC)", 'yyyy-mm-dd hh:mi:ss') AS ended_at,
  parse_decimal("Amount", 'en') AS amount,
  lower("Interval") AS period,
  upper("Currency") AS currency
FROM raw
