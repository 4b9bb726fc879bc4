-- name: order_facts_rates
-- description: Every order that counts has an exchange rate; amounts of different currencies are never added up at a rate of 1.
-- show: currency, from_date, to_date, orders_count
-- hint: map a file of rates in `sources/<source>.exchange_rates.sql` (units of the reporting currency for one unit of `currency`, with a
--   rate on each of these days or at most `exchange_rate_age_days_max` days before), or mend the currency in the orders' mapping
SELECT
    CASE WHEN regexp_like(currency_code, '^[A-Z]{3}$') THEN currency_code ELSE '(no code of three capital letters)' END AS currency,
    min(order_date) AS from_date,
    max(order_date) AS to_date,
    count(*) AS orders_count
FROM order_facts
WHERE exchange_rate IS NULL AND (excluded_because IS NULL OR excluded_because IN ('free', 'fully_refunded'))
GROUP BY CASE WHEN regexp_like(currency_code, '^[A-Z]{3}$') THEN currency_code ELSE '(no code of three capital letters)' END
