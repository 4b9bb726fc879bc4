-- name: subscription_survival_curves
-- description: Both curves start at 1 and never rise, no more customers leave than are at risk, and what is fitted is retained ever better.
SELECT months_since_start
FROM (
    SELECT
        months_since_start,
        at_risk_count,
        churned_count,
        survival,
        survival_fitted,
        retention_rate_fitted,
        lag(survival) OVER (ORDER BY months_since_start) AS survival_before,
        lag(survival_fitted) OVER (ORDER BY months_since_start) AS fitted_before,
        lag(retention_rate_fitted) OVER (ORDER BY months_since_start) AS retention_before,
        lag(at_risk_count - churned_count) OVER (ORDER BY months_since_start) AS left_before
    FROM subscription_survival
) AS steps
WHERE survival NOT BETWEEN 0 AND 1 OR survival > survival_before OR survival_fitted NOT BETWEEN 0 AND 1
    OR survival_fitted > fitted_before OR retention_rate_fitted < retention_before - 1e-12
    OR churned_count > at_risk_count OR at_risk_count > left_before
    OR (months_since_start = 0 AND (survival <> 1 OR survival_fitted <> 1 OR churned_count <> 0))
