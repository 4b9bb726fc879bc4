-- name: purchase_histories_values
-- description: A history is possible: 0 <= recency <= age, no repeat purchase without recency, and never more purchases than days; what was
--   known on the calibration day is not more than what is known now.
SELECT customer_key
FROM purchase_histories
WHERE recency_days < 0 OR recency_days > age_days
    OR (repeat_purchases_count = 0) <> (recency_days = 0)
    OR repeat_purchases_count > recency_days
    OR (repeat_spend_mean IS NULL) <> (repeat_purchases_count = 0)
    OR calibration_repeat_purchases_count > repeat_purchases_count
    OR calibration_recency_days > calibration_age_days
    OR calibration_repeat_purchases_count + holdout_purchases_count <> repeat_purchases_count
    OR calibration_age_days + holdout_days <> age_days
