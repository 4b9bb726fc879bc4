-- name: transactions.contacts
-- grain: one row per customer number
-- description: The log knows people by their number alone.
SELECT trim(cust) AS record_id, trim(cust) AS customer_no
FROM raw
WHERE trim(cust) <> ''
GROUP BY trim(cust)
