-- name: model_scorecard_values
-- description: Measures stay in their ranges.
SELECT model_name
FROM model_scorecard
WHERE holdout_auc NOT BETWEEN 0 AND 1
    OR holdout_brier NOT BETWEEN 0 AND 1
    OR holdout_calibration_error NOT BETWEEN 0 AND 1
    OR abs(holdout_correlation) > 1 + 1e-9
    OR holdout_mae < 0
    OR holdout_rmse < 0
    OR holdout_predicted < 0
