-- name: customer_feedback_values
-- description: Each customer stands once in `customer_feedback`, with at least one answer within its scale.
SELECT customer_key
FROM customer_feedback
GROUP BY customer_key
HAVING count(*) <> 1
    OR max(nps_answers_count + csat_answers_count) = 0
    OR min(nps_score) < 0 OR max(nps_score) > 10
    OR min(csat_score) < 1 OR max(csat_score) > 5
    OR max(nps_date) > as_of() OR max(csat_date) > as_of()
