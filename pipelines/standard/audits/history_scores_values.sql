-- name: history_scores_values
-- description: Probabilities are probabilities, a longer time brings no fewer purchases, and discounting takes away. The tolerance is for
--   rounding of floats.
SELECT repeat_purchases_count
FROM history_scores
WHERE p_alive NOT BETWEEN 0 AND 1
    OR p_no_purchase_90d NOT BETWEEN 0 AND 1
    OR p_no_purchase_12m NOT BETWEEN 0 AND 1
    OR p_no_purchase_12m > p_no_purchase_90d * (1 + 1e-9)
    OR expected_purchases_12m < 0
    OR expected_purchases_12m > expected_purchases_36m * (1 + 1e-9)
    OR discounted_purchases_12m > expected_purchases_12m * (1 + 1e-9)
    OR discounted_purchases_36m > expected_purchases_36m * (1 + 1e-9)
    OR (model_name IS NULL) <> (discounted_purchases_36m IS NULL)
