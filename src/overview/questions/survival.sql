-- name: survival
-- reads: purchase_survival.curve, purchase_survival.days_since, purchase_survival.survival, purchase_survival.survival_lower, purchase_survival.survival_upper
-- description: Share of customers without a next order by week since, for two years.
SELECT
    curve,
    days_since / 7 * 7 AS days_since,
    min(survival) AS survival,
    min(survival_lower) AS survival_lower,
    min(survival_upper) AS survival_upper
FROM purchase_survival
WHERE days_since <= 730
GROUP BY curve, days_since / 7 * 7
ORDER BY curve, days_since
