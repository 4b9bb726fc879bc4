-- name: model_scorecard_chosen
-- description: At most one purchase model is chosen, and only one with status ok; each model has one row.
SELECT max(model_name) AS model_name
FROM model_scorecard
WHERE is_chosen AND model_name <> 'gamma_gamma'
HAVING count(*) > 1
UNION ALL
SELECT model_name
FROM model_scorecard
WHERE is_chosen AND model_status <> 'ok'
UNION ALL
SELECT model_name
FROM model_scorecard
GROUP BY model_name
HAVING count(*) > 1
