-- name: feedback_monthly_values
-- description: Each month stands once without a gap, classes add up to the answers, and figures lie within their bounds.
WITH numbered AS (
    SELECT CAST(extract(YEAR FROM month) AS BIGINT) * 12 + CAST(extract(MONTH FROM month) AS BIGINT) AS month_number
    FROM feedback_monthly
)

SELECT count(*) AS rows_count
FROM feedback_monthly
WHERE promoters_count + passives_count + detractors_count <> nps_answers_count
    OR satisfied_count > csat_answers_count
    OR (nps IS NULL) <> (nps_answers_count = 0)
    OR (csat_share IS NULL) <> (csat_answers_count = 0)
    OR nps NOT BETWEEN -100 AND 100
    OR csat_share NOT BETWEEN 0 AND 1
    OR nps_standard_error < 0 OR csat_standard_error < 0
    OR month > as_of()
HAVING count(*) > 0
UNION ALL
SELECT count(*) AS rows_count
FROM numbered
HAVING count(*) <> count(DISTINCT month_number) OR count(*) <> max(month_number) - min(month_number) + 1
