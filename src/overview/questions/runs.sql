-- name: runs
-- reads: runs.version, runs.as_of, runs.records_count, runs.customers_count, runs.links_count
-- description: The last twelve versions.
SELECT version, as_of, records_count, customers_count, links_count
FROM runs
ORDER BY version DESC
LIMIT 12
