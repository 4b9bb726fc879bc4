-- name: feedback_monthly
-- grain: one row per month from the first answer to the as-of day
-- description: NPS and CSAT over time, over all answers of a month, those of people whom no customer could be found for included. NPS is the
--   share of promoters (9 and 10) less the share of detractors (0 to 6), in points from -100 to 100; CSAT the share of 4 and 5 among answers
--   of 1 to 5. A difference of less than two standard errors says nothing. Months without an answer have no figure, never a zero.
-- columns:
--   month [date]: First day of the month.
--   is_complete: False for the month of the as-of day unless that is its last day.
--   nps_answers_count [answers]: Answers on the scale 0 to 10.
--   promoters_count [answers]: Of them 9 and 10.
--   passives_count [answers]: Of them 7 and 8.
--   detractors_count [answers]: Of them 0 to 6.
--   nps [points]: Promoters less detractors, -100 to 100; null without an answer.
--   nps_standard_error [points]: Of it; null with fewer than two answers.
--   csat_answers_count [answers]: Answers on the scale 1 to 5.
--   satisfied_count [answers]: Of them 4 and 5.
--   csat_share [share]: Satisfied among them; null without an answer.
--   csat_standard_error [share]: Of it; null with fewer than two answers.
--   csat_mean [score]: Mean of the answers, 1 to 5; null without one.
WITH answers AS (
    SELECT lower(scale) AS scale, score, CAST(date_trunc('month', local_date(occurred_at)) AS DATE) AS answer_month
    FROM interactions
    WHERE local_date(occurred_at) <= as_of()
        AND ((lower(scale) = 'nps' AND score BETWEEN 0 AND 10) OR (lower(scale) = 'csat' AND score BETWEEN 1 AND 5))
),

counted AS (
    SELECT
        answer_month,
        count(*) FILTER (WHERE scale = 'nps') AS nps_answers_count,
        count(*) FILTER (WHERE scale = 'nps' AND score >= 9) AS promoters_count,
        count(*) FILTER (WHERE scale = 'nps' AND score >= 7 AND score < 9) AS passives_count,
        count(*) FILTER (WHERE scale = 'nps' AND score < 7) AS detractors_count,
        count(*) FILTER (WHERE scale = 'csat') AS csat_answers_count,
        count(*) FILTER (WHERE scale = 'csat' AND score >= 4) AS satisfied_count,
        sum(score) FILTER (WHERE scale = 'csat') AS csat_sum
    FROM answers
    GROUP BY answer_month
),

first_month AS (
    SELECT min(answer_month) AS answer_month FROM answers
),

months AS (
    SELECT unnest(generate_series(answer_month, CAST(date_trunc('month', as_of()) AS DATE), INTERVAL '1' MONTH)) AS answer_month
    FROM first_month
    WHERE answer_month IS NOT NULL
),

final AS (
    SELECT
        months.answer_month,
        coalesce(counted.nps_answers_count, 0) AS nps_answers_count,
        coalesce(counted.promoters_count, 0) AS promoters_count,
        coalesce(counted.passives_count, 0) AS passives_count,
        coalesce(counted.detractors_count, 0) AS detractors_count,
        CAST(counted.promoters_count AS DOUBLE) / nullif(counted.nps_answers_count, 0) AS promoters_share,
        CAST(counted.detractors_count AS DOUBLE) / nullif(counted.nps_answers_count, 0) AS detractors_share,
        coalesce(counted.csat_answers_count, 0) AS csat_answers_count,
        coalesce(counted.satisfied_count, 0) AS satisfied_count,
        CAST(counted.satisfied_count AS DOUBLE) / nullif(counted.csat_answers_count, 0) AS csat_share,
        CAST(counted.csat_sum AS DOUBLE) / nullif(counted.csat_answers_count, 0) AS csat_mean
    FROM months
    LEFT JOIN counted ON counted.answer_month = months.answer_month
)

SELECT
    answer_month AS month,
    CAST(answer_month + INTERVAL '1' MONTH - INTERVAL '1' DAY AS DATE) <= as_of() AS is_complete,
    nps_answers_count,
    promoters_count,
    passives_count,
    detractors_count,
    100 * (promoters_share - detractors_share) AS nps,
    100 * sqrt(greatest(promoters_share + detractors_share - power(promoters_share - detractors_share, 2), 0)
        / nullif(greatest(nps_answers_count - 1, 0), 0)) AS nps_standard_error,
    csat_answers_count,
    satisfied_count,
    csat_share,
    sqrt(csat_share * (1 - csat_share) / nullif(greatest(csat_answers_count - 1, 0), 0)) AS csat_standard_error,
    csat_mean
FROM final
ORDER BY month
