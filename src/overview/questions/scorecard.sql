-- name: scorecard
-- reads: model_scorecard.model_name, model_scorecard.is_chosen, model_scorecard.model_status, model_scorecard.n, model_scorecard.log_likelihood, model_scorecard.aic, model_scorecard.converged, model_scorecard.holdout_bias, model_scorecard.holdout_mae, model_scorecard.holdout_correlation, model_scorecard.holdout_auc, model_scorecard.holdout_brier, model_scorecard.holdout_calibration_error
-- description: The models of purchases and spending, with their figures on the holdout.
SELECT model_name, is_chosen, model_status, n, log_likelihood, aic, converged, holdout_bias, holdout_mae, holdout_correlation, holdout_auc,
    holdout_brier, holdout_calibration_error
FROM model_scorecard
ORDER BY model_name
LIMIT 40
