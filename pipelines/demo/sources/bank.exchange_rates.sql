-- name: bank.exchange_rates
-- grain: one row per currency and working day
-- unit: EUR for one unit of the currency
-- description: The bank writes one column a currency and how much of it a euro buys; wanted is the other way round.
WITH quoted AS (
  SELECT "Date" AS day, 'USD' AS currency, TRY_CAST("USD" AS DOUBLE) AS per_euro FROM raw
  UNION ALL
  SELECT "Date" AS day, 'GBP' AS currency, TRY_CAST("GBP" AS DOUBLE) AS per_euro FROM raw
  UNION ALL
  SELECT "Date" AS day, 'CHF' AS currency, TRY_CAST("CHF" AS DOUBLE) AS per_euro FROM raw
)

SELECT
  currency,
  parse_date(day, 'yyyy-mm-dd') AS rate_date,
  1 / per_euro AS rate
FROM quoted
WHERE per_euro > 0
