-- name: model_calibration
-- grain: one row per model and tenth of the predicted probability that has a customer
-- description: Whether forecasts of the past came true. Each model was fitted to what was known on the calibration day and asked for
--   each customer's probability of no purchase in the holdout. In a calibrated model, of the customers with about 30 % about 30 % buy
--   nothing. `rate_rule` is the naive forecast by the customer's own rate, exp(-x / T x holdout).
-- columns:
--   model_name: `nbd`, `bg_nbd`, `mbg_nbd`, `pareto_nbd` or `rate_rule`.
--   bin: Tenth of the predicted probability, from 1 (up to 0.1) to 10 (0.9 and more).
--   customers_count [customers]: Customers in it.
--   predicted_share [share]: Mean predicted probability of no purchase in the holdout.
--   observed_share [share]: Share of them who bought nothing in the holdout.
--   predicted_purchases [purchase days]: Forecast of their purchases in the holdout.
--   observed_purchases [purchase days]: What they bought.
WITH histories AS (
    SELECT
        calibration_repeat_purchases_count AS x,
        calibration_recency_days AS recency_days,
        calibration_age_days AS age_days,
        holdout_days,
        holdout_purchases_count AS actual,
        count(*) AS customers
    FROM purchase_histories
    WHERE calibration_repeat_purchases_count IS NOT NULL
    GROUP BY calibration_repeat_purchases_count, calibration_recency_days, calibration_age_days, holdout_days, holdout_purchases_count
),

predicted AS (
    SELECT
        model_fits.model_name,
        actual,
        customers,
        p_no_purchase(model_fits.model_name, model_fits.params, x, recency_days, age_days, holdout_days) AS p,
        expected_purchases(model_fits.model_name, model_fits.params, x, recency_days, age_days, holdout_days) AS purchases
    FROM histories
    CROSS JOIN model_fits
    WHERE model_fits.sample = 'calibration' AND model_fits.model_name <> 'gamma_gamma' AND model_fits.params IS NOT NULL
    UNION ALL
    SELECT
        'rate_rule' AS model_name,
        actual,
        customers,
        exp(-CAST(x * holdout_days AS DOUBLE) / greatest(age_days, 1)) AS p,
        CAST(x * holdout_days AS DOUBLE) / greatest(age_days, 1) AS purchases
    FROM histories
),

binned AS (
    SELECT
        model_name,
        least(10, CAST(floor(p * 10) AS BIGINT) + 1) AS bin,
        sum(customers) AS customers,
        CAST(sum(CAST(p * customers AS DECIMAL(28, 10))) AS DOUBLE) AS predicted,
        sum(CASE WHEN actual = 0 THEN customers ELSE 0 END) AS observed,
        CAST(sum(CAST(purchases * customers AS DECIMAL(28, 10))) AS DOUBLE) AS predicted_purchases,
        sum(actual * customers) AS observed_purchases
    FROM predicted
    GROUP BY model_name, least(10, CAST(floor(p * 10) AS BIGINT) + 1)
)

SELECT
    model_name,
    bin,
    customers AS customers_count,
    predicted / customers AS predicted_share,
    CAST(observed AS DOUBLE) / customers AS observed_share,
    predicted_purchases,
    observed_purchases
FROM binned
