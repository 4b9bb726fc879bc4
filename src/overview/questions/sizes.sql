-- name: sizes
-- reads: customers.records_count
-- description: Customers by their number of records; 16 collects larger ones.
SELECT least(records_count, 16) AS records, count(*) AS customers_count, max(records_count) AS records_max
FROM customers
GROUP BY records
ORDER BY records
