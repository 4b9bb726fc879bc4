-- name: history_scores_total
-- description: Every purchase history is scored once.
WITH histories AS (
    SELECT count(*) AS customers
    FROM purchase_histories
),

scores AS (
    SELECT coalesce(sum(customers_count), 0) AS customers, count(*) AS rows_count
    FROM history_scores
),

different AS (
    SELECT count(*) AS rows_count
    FROM (SELECT DISTINCT repeat_purchases_count, recency_days, age_days FROM history_scores) AS distinct_histories
)

SELECT histories.customers
FROM histories
CROSS JOIN scores
CROSS JOIN different
WHERE histories.customers <> scores.customers OR scores.rows_count <> different.rows_count
