-- name: cohort_retention_sums
-- description: What is cumulated is what the months add up to, and a month that is not over has no value at all.
SELECT cohort_month, month_number
FROM (
    SELECT
        cohort_month,
        month_number,
        active_customers,
        retention_rate,
        cumulative_net_revenue_per_customer,
        cumulative_contribution_per_customer,
        sum(net_revenue) OVER (PARTITION BY cohort_month ORDER BY month_number) / cohort_size AS net_revenue_per_customer,
        sum(contribution) OVER (PARTITION BY cohort_month ORDER BY month_number) / cohort_size AS contribution_per_customer,
        coalesce(net_revenue, contribution, cumulative_net_revenue_per_customer, cumulative_contribution_per_customer) IS NULL AS is_open
    FROM cohort_retention
) AS cells
WHERE is_open <> (active_customers IS NULL) OR is_open <> (retention_rate IS NULL)
    OR (NOT is_open AND abs(cumulative_net_revenue_per_customer - net_revenue_per_customer) > 0.0001)
    OR (NOT is_open AND abs(cumulative_contribution_per_customer - contribution_per_customer) > 0.0001)
