-- name: feedback
-- reads: feedback_monthly.month, feedback_monthly.nps_answers_count, feedback_monthly.nps, feedback_monthly.nps_standard_error, feedback_monthly.csat_answers_count, feedback_monthly.csat_share
-- description: NPS with two standard errors to each side, and CSAT, of the last 36 months.
SELECT
    month,
    nps_answers_count,
    nps,
    greatest(nps - 2 * nps_standard_error, -100) AS nps_low,
    least(nps + 2 * nps_standard_error, 100) AS nps_high,
    csat_answers_count,
    csat_share
FROM (SELECT * FROM feedback_monthly ORDER BY month DESC LIMIT 36) AS latest
WHERE nps IS NOT NULL OR csat_share IS NOT NULL
ORDER BY month
