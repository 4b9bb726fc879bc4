-- name: parameters
-- reads: model_scorecard.model_name, model_scorecard.params, model_scorecard.standard_errors
-- description: What was fitted.
SELECT model_name, params, standard_errors
FROM model_scorecard
WHERE params IS NOT NULL
ORDER BY model_name
LIMIT 40
