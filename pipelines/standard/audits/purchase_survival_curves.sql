-- name: purchase_survival_curves
-- description: Each curve starts at 1 and never rises, stays between its limits, and no more happens than is at risk.
SELECT curve, days_since
FROM (
    SELECT
        curve,
        days_since,
        at_risk_count,
        events_count,
        censored_count,
        survival,
        survival_lower,
        survival_upper,
        lag(survival) OVER (PARTITION BY curve ORDER BY days_since) AS survival_before,
        lag(at_risk_count - events_count) OVER (PARTITION BY curve ORDER BY days_since) AS left_before
    FROM purchase_survival
) AS steps
WHERE survival NOT BETWEEN 0 AND 1 OR survival > survival_before OR survival_lower > survival OR survival_upper < survival
    OR events_count > at_risk_count OR censored_count < 0 OR (days_since = 0 AND survival <> 1)
    OR at_risk_count > left_before
