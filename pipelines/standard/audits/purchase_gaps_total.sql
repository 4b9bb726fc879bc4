-- name: purchase_gaps_total
-- description: Each customer with an order has one gap that has not ended, and one that begins with the first order.
WITH customers AS (
    SELECT count(*) AS customers
    FROM purchase_histories
),

gaps AS (
    SELECT
        coalesce(sum(censored_count), 0) AS open_gaps,
        coalesce(sum(CASE WHEN is_first_gap THEN events_count + censored_count END), 0) AS first_gaps
    FROM purchase_gaps
)

SELECT open_gaps, first_gaps
FROM gaps
CROSS JOIN customers
WHERE open_gaps <> customers OR first_gaps <> customers
