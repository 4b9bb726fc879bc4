-- name: cohort_retention_rates
-- description: All of a cohort is active in its first month, no rate is above 1, and nothing is negative.
SELECT cohort_month, month_number
FROM cohort_retention
WHERE cohort_size <= 0 OR month_number < 0 OR active_customers < 0 OR retention_rate NOT BETWEEN 0 AND 1
    OR (month_number = 0 AND active_customers <> cohort_size)
