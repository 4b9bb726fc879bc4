-- name: cohorts
-- reads: cohort_retention.cohort_month, cohort_retention.month_number, cohort_retention.cohort_size, cohort_retention.retention_rate
-- description: Retention of the last 24 cohorts over 24 months; what cannot be observed yet is left out.
WITH newest AS (
    SELECT max(cohort_month) AS cohort_month FROM cohort_retention
)

SELECT cohort_retention.cohort_month, month_number, cohort_size, retention_rate
FROM cohort_retention
CROSS JOIN newest
WHERE retention_rate IS NOT NULL
    AND month_number <= 24
    AND cohort_retention.cohort_month > newest.cohort_month - INTERVAL '24 months'
ORDER BY cohort_retention.cohort_month, month_number
