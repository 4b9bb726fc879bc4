-- name: customer_forecasts
-- grain: one row per customer and purchase model
-- description: What each purchase model of `model_scorecard`, fitted to everything up to the as-of day, expects of each customer.
-- columns:
--   cust: Customer number of the log.
--   customer_key: The customer.
--   model_name: `nbd`, `bg_nbd`, `mbg_nbd` or `pareto_nbd`.
--   model_status: Status of the fit.
--   repeat_purchases_count [purchase days]: x.
--   recency_weeks [weeks]: t_x.
--   age_weeks [weeks]: T.
--   repeat_spend_mean: Mean sales of a repeat purchase day; null without one.
--   p_alive [share]: Probability that the customer has not left for good.
--   p_no_purchase [share]: Probability of no purchase in the next `horizon_days`.
--   expected_purchases [purchase days]: Expected number in the next `horizon_days`.
--   discounted_purchases_52w [purchase days]: Expected number in 52 weeks, discounted to the as-of day.
--   discounted_purchases_156w [purchase days]: Expected number in 156 weeks, discounted to the as-of day.
--   expected_spend: Expected sales of a purchase day (Gamma-Gamma); null where that model was not fitted.
WITH numbers AS (
    SELECT customer_key, min(record_id) AS cust
    FROM identities
    GROUP BY customer_key
),

spend AS (
    SELECT max(params) AS params
    FROM model_scorecard
    WHERE model_name = 'gamma_gamma'
),

purchase_models AS (
    SELECT model_name, model_status, params
    FROM model_scorecard
    WHERE params IS NOT NULL AND model_name <> 'gamma_gamma'
),

histories AS (
    SELECT DISTINCT repeat_purchases_count AS x, recency_days, age_days
    FROM purchase_histories
),

scored AS (
    SELECT
        x,
        recency_days,
        age_days,
        model_name,
        model_status,
        p_alive(model_name, params, x, recency_days, age_days) AS p_alive,
        p_no_purchase(model_name, params, x, recency_days, age_days, setting('horizon_days', 365)) AS p_no_purchase,
        expected_purchases(model_name, params, x, recency_days, age_days, setting('horizon_days', 365)) AS expected_purchases,
        discounted_purchases(model_name, params, x, recency_days, age_days, 364, setting('discount_rate_annual', 0.10)) AS discounted_purchases_52w,
        discounted_purchases(model_name, params, x, recency_days, age_days, 1092, setting('discount_rate_annual', 0.10))
            AS discounted_purchases_156w
    FROM histories
    CROSS JOIN purchase_models
)

SELECT
    numbers.cust,
    purchase_histories.customer_key,
    scored.model_name,
    scored.model_status,
    purchase_histories.repeat_purchases_count,
    purchase_histories.recency_days / 7.0 AS recency_weeks,
    purchase_histories.age_days / 7.0 AS age_weeks,
    purchase_histories.repeat_spend_mean,
    scored.p_alive,
    scored.p_no_purchase,
    scored.expected_purchases,
    scored.discounted_purchases_52w,
    scored.discounted_purchases_156w,
    expected_spend(
        spend.params, purchase_histories.repeat_purchases_count, greatest(coalesce(purchase_histories.repeat_spend_mean, 0), 0)
    ) AS expected_spend
FROM purchase_histories
CROSS JOIN spend
INNER JOIN numbers ON numbers.customer_key = purchase_histories.customer_key
INNER JOIN scored
    ON scored.x = purchase_histories.repeat_purchases_count
    AND scored.recency_days = purchase_histories.recency_days
    AND scored.age_days = purchase_histories.age_days
