-- name: history_scores
-- grain: one row per distinct purchase history
-- description: What the chosen purchase model of `model_scorecard` expects of a customer with this history. The expected future of two
--   customers with the same number of repeat purchases, recency and age is the same, so it is computed once for all of them. Empty
--   of forecasts (null) where no model was chosen. If `nbd` was chosen because no dropout is identified, `p_alive` is null: the data
--   do not tell. Purchases are discounted with the setting `discount_rate_annual` (0.10) to the as-of day. Months have 365.2425 / 12 days.
-- columns:
--   repeat_purchases_count [purchase days]: x, see `purchase_histories`.
--   recency_days [days]: t_x, see `purchase_histories`.
--   age_days [days]: T, see `purchase_histories`.
--   customers_count [customers]: Customers with this history.
--   model_name: The chosen model; null if there is none.
--   p_alive [share]: Probability that the customer has not left for good by the as-of day.
--   p_no_purchase_90d [share]: Probability of no purchase in the next 90 days.
--   p_no_purchase_12m [share]: Probability of no purchase in the next `churn_window_days` (365) days.
--   expected_purchases_12m [purchase days]: Expected number in the next twelve months.
--   expected_purchases_36m [purchase days]: Expected number in the next 36 months.
--   discounted_purchases_12m [purchase days]: Expected number in twelve months, each discounted to the as-of day.
--   discounted_purchases_36m [purchase days]: Expected number in 36 months, each discounted to the as-of day.
--   discounted_purchases_12m_se [purchase days]: Standard error of it, from the uncertainty of the parameters (delta method).
--   discounted_purchases_36m_se [purchase days]: Standard error of it, from the uncertainty of the parameters (delta method).
WITH histories AS (
    SELECT repeat_purchases_count AS x, recency_days AS t, age_days AS age, count(*) AS customers_count
    FROM purchase_histories
    GROUP BY repeat_purchases_count, recency_days, age_days
),

chosen AS (
    SELECT
        model_scorecard.model_name AS name,
        model_scorecard.params AS params,
        model_fits.covariance AS covariance,
        CAST(setting('discount_rate_annual', 0.10) AS DOUBLE) AS rate
    FROM model_scorecard
    INNER JOIN model_fits ON model_fits.model_name = model_scorecard.model_name AND model_fits.sample = 'all'
    WHERE model_scorecard.is_chosen AND model_scorecard.model_name <> 'gamma_gamma'
)

SELECT
    x AS repeat_purchases_count,
    t AS recency_days,
    age AS age_days,
    customers_count,
    name AS model_name,
    CASE WHEN name <> 'nbd' THEN p_alive(name, params, x, t, age) END AS p_alive,
    p_no_purchase(name, params, x, t, age, 90) AS p_no_purchase_90d,
    p_no_purchase(name, params, x, t, age, setting('churn_window_days', 365)) AS p_no_purchase_12m,
    expected_purchases(name, params, x, t, age, 365.2425) AS expected_purchases_12m,
    expected_purchases(name, params, x, t, age, 1095.7275) AS expected_purchases_36m,
    discounted_purchases(name, params, x, t, age, 365.2425, rate) AS discounted_purchases_12m,
    discounted_purchases(name, params, x, t, age, 1095.7275, rate) AS discounted_purchases_36m,
    discounted_purchases_se(name, params, covariance, x, t, age, 365.2425, rate) AS discounted_purchases_12m_se,
    discounted_purchases_se(name, params, covariance, x, t, age, 1095.7275, rate) AS discounted_purchases_36m_se
FROM histories
LEFT JOIN chosen ON TRUE
