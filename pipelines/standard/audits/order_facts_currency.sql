-- name: order_facts_currency
-- description: Every order is in the reporting currency; amounts of different currencies are never added up at a rate of 1.
SELECT source, currency_code, count(*) AS orders_count
FROM order_facts
WHERE currency_code <> setting('currency')
GROUP BY source, currency_code
