-- name: transactions.orders
-- grain: one row per customer and day
-- description: All lines of a customer and a day are one purchase, worth their sum. A negative sum is a credit note: a refund of its day, and
--   no purchase. The log names no currency: amounts are taken to be in the pipeline's.
SELECT
    concat(trim(cust), '/', trim(date)) AS order_id,
    trim(cust) AS contact_record_id,
    parse_timestamp(trim(date), 'yyyy-mm-dd') AS ordered_at,
    'EUR' AS currency,
    sum(parse_decimal(sales, 'en')) AS gross
FROM raw
GROUP BY trim(cust), trim(date)
