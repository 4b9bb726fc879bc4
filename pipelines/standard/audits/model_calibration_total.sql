-- name: model_calibration_total
-- description: Each model was asked for every customer known on the calibration day, and shares are shares.
WITH known AS (
    SELECT count(*) AS customers
    FROM purchase_histories
    WHERE calibration_repeat_purchases_count IS NOT NULL
)

SELECT model_name
FROM model_calibration
CROSS JOIN known
GROUP BY model_name
HAVING sum(customers_count) <> max(known.customers)
UNION ALL
SELECT model_name
FROM model_calibration
WHERE bin NOT BETWEEN 1 AND 10
    OR predicted_share NOT BETWEEN 0 AND 1
    OR observed_share NOT BETWEEN 0 AND 1
