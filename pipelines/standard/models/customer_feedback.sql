-- name: customer_feedback
-- grain: one row per customer who answered a survey up to the as-of day
-- description: What customers said last. Answers are interactions with a score: scale `nps` (0 to 10, would you recommend us) and `csat`
--   (1 to 5, how satisfied were you); scores outside their scale are left out. Of two answers at one time the one with the higher id counts.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   nps_score [score]: Last answer, 0 to 10; null without one.
--   nps_date [date]: Day of the last answer.
--   nps_class: promoter (9 and 10), passive (7 and 8), detractor (0 to 6).
--   nps_answers_count [answers]: All such answers.
--   nps_previous_score [score]: Answer before the last; null without one.
--   csat_score [score]: Last answer, 1 to 5; null without one.
--   csat_date [date]: Day of the last answer.
--   is_satisfied: Whether the last such answer is 4 or 5; null without one.
--   csat_answers_count [answers]: All such answers.
WITH answers AS (
    SELECT
        customer_key,
        lower(scale) AS scale,
        CAST(score AS DOUBLE) AS score,
        local_date(occurred_at) AS answer_date,
        row_number() OVER (PARTITION BY customer_key, lower(scale) ORDER BY occurred_at DESC, source DESC, interaction_id DESC) AS recency
    FROM interactions
    WHERE customer_key IS NOT NULL
        AND local_date(occurred_at) <= as_of()
        AND ((lower(scale) = 'nps' AND score BETWEEN 0 AND 10) OR (lower(scale) = 'csat' AND score BETWEEN 1 AND 5))
),

final AS (
    SELECT
        customer_key,
        max(score) FILTER (WHERE scale = 'nps' AND recency = 1) AS nps_score,
        max(answer_date) FILTER (WHERE scale = 'nps' AND recency = 1) AS nps_date,
        max(score) FILTER (WHERE scale = 'nps' AND recency = 2) AS nps_previous_score,
        count(*) FILTER (WHERE scale = 'nps') AS nps_answers_count,
        max(score) FILTER (WHERE scale = 'csat' AND recency = 1) AS csat_score,
        max(answer_date) FILTER (WHERE scale = 'csat' AND recency = 1) AS csat_date,
        count(*) FILTER (WHERE scale = 'csat') AS csat_answers_count
    FROM answers
    GROUP BY customer_key
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    nps_score,
    nps_date,
    CASE WHEN nps_score >= 9 THEN 'promoter' WHEN nps_score >= 7 THEN 'passive' WHEN nps_score IS NOT NULL THEN 'detractor' END AS nps_class,
    nps_answers_count,
    nps_previous_score,
    csat_score,
    csat_date,
    csat_score >= 4 AS is_satisfied,
    csat_answers_count
FROM final
