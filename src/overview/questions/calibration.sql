-- name: calibration
-- reads: model_calibration.model_name, model_calibration.bin, model_calibration.customers_count, model_calibration.predicted_share, model_calibration.observed_share
-- description: What was predicted for the holdout and what came, by classes of the prediction.
SELECT model_name, bin, customers_count, predicted_share, observed_share
FROM model_calibration
ORDER BY model_name, bin
LIMIT 400
