-- name: model_scorecard
-- grain: one row per model
-- description: How each model fits everything known, and how well the same model, fitted to what was known on the calibration day,
--   forecast the holdout. Beside the models stand two naive rules: `recency_rule` ranks by days since the last order, `rate_rule`
--   lets everybody go on at x / T. Plain recency often ranks customers as well as any model (compare `holdout_auc`); what models add
--   are calibrated probabilities (`holdout_brier`, `holdout_calibration_error`), expected counts (`holdout_bias`) and money.
--   One purchase model is chosen for the forecasts of the other tables: the one that the setting `purchase_model` names (`mbg_nbd`) if
--   its status is `ok`; else, or with `aic`, the one of least AIC among `bg_nbd`, `mbg_nbd` and `pareto_nbd` with status `ok`; else
--   `nbd`. No model is chosen where the log is shorter than `model_days_min` (180) days or its last order older than
--   `model_quiet_days_max` (90) days on the as-of day, or too few customers bought again.
-- columns:
--   as_of_date [date]: The as-of day.
--   model_name: `nbd`, `bg_nbd`, `mbg_nbd`, `pareto_nbd`, `gamma_gamma`, `recency_rule` or `rate_rule`.
--   is_chosen: Whether forecasts of other tables come from this model.
--   model_status: `ok`, or why the model should not be used: `no_dropout_identified`, `too_few_customers`, `not_converged`,
--     `log_too_short`, `log_out_of_date` ...; null for the naive rules.
--   params: Parameters of the fit to everything, as JSON; time in weeks.
--   standard_errors: Their standard errors, as JSON.
--   log_likelihood: Of the fit to everything, in weeks.
--   aic: Akaike's criterion; smaller is better, among purchase models.
--   n [customers]: Customers the model was fitted to.
--   iterations: Steps of the optimizer.
--   gradient_max: Largest component of the gradient per customer at the end.
--   converged: Whether the optimum was reached.
--   time_unit: Unit of time in parameters and log-likelihood.
--   calibration_date [date]: The day whose knowledge the holdout tests.
--   holdout_days [days]: Length of the holdout.
--   holdout_params: Parameters of the fit as of the calibration day, as JSON.
--   holdout_model_status: Status of that fit.
--   holdout_customers_count [customers]: Customers whose forecast was compared; for `gamma_gamma` those who bought in the holdout.
--   holdout_actual [purchase days]: What they bought; for `gamma_gamma` the amount they spent.
--   holdout_predicted [purchase days]: What was forecast; for `gamma_gamma` the amount, given how often they bought.
--   holdout_bias [share]: Forecast / actual - 1.
--   holdout_mae: Mean absolute error per customer, in the unit of `holdout_actual` (for `gamma_gamma` per purchase day).
--   holdout_rmse: Root of the mean squared error, likewise.
--   holdout_correlation: Pearson correlation of forecast and actual over customers.
--   holdout_auc: Probability that a customer who bought nothing had a higher churn score than one who bought; 0.5 is chance.
--   holdout_brier: Mean squared error of the probability of no purchase; smaller is better.
--   holdout_calibration_error [share]: Mean distance of predicted and observed share over the tenths of `model_calibration`, by customers.
--   holdout_revenue_actual [reporting currency]: Amount spent in the holdout.
--   holdout_revenue_predicted [reporting currency]: Forecast purchases x forecast amount of a purchase day.
--   holdout_revenue_bias [share]: Forecast / actual - 1 of the amount.
--   first_tenth_share [share]: Share of customers whose first order lies in the first tenth of the log.
--   note: What to keep in mind: `log_may_start_late` says that more than 20 % of the customers are first seen in the first tenth of the
--     log, twice what a steady inflow gives. If they bought before, their first purchase is not their first, and the models see less dropout than there is.
WITH log AS (
    SELECT
        min(first_order_date) AS first_date,
        max(last_order_date) AS last_date,
        max(calibration_date) AS calibration_date,
        max(holdout_days) AS holdout_days
    FROM purchase_histories
),

starts AS (
    SELECT
        max(log.calibration_date) AS calibration_date,
        max(log.holdout_days) AS holdout_days,
        CAST(as_of() AS INT) - CAST(max(log.first_date) AS INT) AS log_days,
        CAST(as_of() AS INT) - CAST(max(log.last_date) AS INT) AS quiet_days,
        CAST(
            count(*) FILTER (WHERE age_days >= 0.9 * (CAST(as_of() AS INT) - CAST(log.first_date AS INT))) AS DOUBLE
        ) / nullif(count(*), 0) AS first_tenth_share
    FROM purchase_histories
    CROSS JOIN log
),

everything AS (
    SELECT
        model_name,
        CASE
            WHEN model_status <> 'ok' THEN model_status
            WHEN log_days < CAST(setting('model_days_min', 180) AS INT) THEN 'log_too_short'
            WHEN quiet_days > CAST(setting('model_quiet_days_max', 90) AS INT) THEN 'log_out_of_date'
            ELSE 'ok'
        END AS model_status,
        params,
        standard_errors,
        log_likelihood,
        aic,
        n,
        iterations,
        gradient_max,
        converged
    FROM model_fits
    CROSS JOIN starts
    WHERE sample = 'all'
),

ranked AS (
    SELECT
        model_name,
        row_number() OVER (
            ORDER BY
                CASE WHEN model_name = setting('purchase_model', 'mbg_nbd') THEN 0 WHEN model_name = 'nbd' THEN 2 ELSE 1 END,
                aic,
                model_name
        ) AS choice
    FROM everything
    WHERE model_status = 'ok' AND model_name <> 'gamma_gamma'
),

spend AS (
    SELECT max(params) AS params
    FROM model_fits
    WHERE sample = 'calibration' AND model_name = 'gamma_gamma' AND model_status = 'ok'
),

histories AS (
    SELECT
        calibration_repeat_purchases_count AS x,
        calibration_recency_days AS recency_days,
        calibration_age_days AS age_days,
        purchase_histories.holdout_days,
        holdout_purchases_count AS actual,
        count(*) AS customers,
        sum(holdout_revenue) AS revenue,
        sum(CAST(
            expected_spend(spend.params, calibration_repeat_purchases_count, greatest(coalesce(calibration_repeat_spend_mean, 0), 0))
            AS DECIMAL(28, 10)
        )) AS spend
    FROM purchase_histories
    CROSS JOIN spend
    WHERE calibration_repeat_purchases_count IS NOT NULL
    GROUP BY
        calibration_repeat_purchases_count, calibration_recency_days, calibration_age_days, purchase_histories.holdout_days,
        holdout_purchases_count
),

predicted AS (
    SELECT
        model_fits.model_name,
        actual,
        customers,
        revenue,
        spend,
        expected_purchases(model_fits.model_name, model_fits.params, x, recency_days, age_days, holdout_days) AS forecast,
        p_no_purchase(model_fits.model_name, model_fits.params, x, recency_days, age_days, holdout_days) AS p,
        p_no_purchase(model_fits.model_name, model_fits.params, x, recency_days, age_days, holdout_days) AS score
    FROM histories
    CROSS JOIN model_fits
    WHERE model_fits.sample = 'calibration' AND model_fits.model_name <> 'gamma_gamma' AND model_fits.params IS NOT NULL
    UNION ALL
    SELECT
        'rate_rule' AS model_name,
        actual,
        customers,
        revenue,
        NULL AS spend,
        CAST(x * holdout_days AS DOUBLE) / greatest(age_days, 1) AS forecast,
        exp(-CAST(x * holdout_days AS DOUBLE) / greatest(age_days, 1)) AS p,
        -CAST(x AS DOUBLE) / greatest(age_days, 1) AS score
    FROM histories
    UNION ALL
    SELECT
        'recency_rule' AS model_name,
        actual,
        customers,
        revenue,
        NULL AS spend,
        NULL AS forecast,
        NULL AS p,
        CAST(age_days - recency_days AS DOUBLE) AS score
    FROM histories
),

summed AS (
    SELECT
        model_name,
        CAST(sum(customers) AS DOUBLE) AS n,
        CAST(sum(actual * customers) AS DOUBLE) AS actual,
        CAST(sum(actual * actual * customers) AS DOUBLE) AS actual_squared,
        CAST(sum(CAST(forecast * customers AS DECIMAL(28, 10))) AS DOUBLE) AS forecast,
        CAST(sum(CAST(forecast * forecast * customers AS DECIMAL(28, 10))) AS DOUBLE) AS forecast_squared,
        CAST(sum(CAST(forecast * actual * customers AS DECIMAL(28, 10))) AS DOUBLE) AS product,
        CAST(sum(CAST(abs(forecast - actual) * customers AS DECIMAL(28, 10))) AS DOUBLE) AS absolute_error,
        CAST(sum(CAST(power(p - CASE WHEN actual = 0 THEN 1 ELSE 0 END, 2) * customers AS DECIMAL(28, 10))) AS DOUBLE) AS squared_error,
        auc(score, actual = 0, customers) AS auc,
        sum(revenue) AS revenue,
        CAST(sum(CAST(forecast * CAST(spend AS DOUBLE) AS DECIMAL(28, 10))) AS DOUBLE) AS forecast_revenue
    FROM predicted
    GROUP BY model_name
),

calibration_errors AS (
    SELECT
        model_name,
        CAST(sum(CAST(abs(predicted_share - observed_share) * customers_count AS DECIMAL(28, 10))) AS DOUBLE)
            / sum(customers_count) AS calibration_error
    FROM model_calibration
    GROUP BY model_name
),

purchases AS (
    SELECT
        summed.model_name,
        CAST(n AS BIGINT) AS customers_count,
        actual,
        forecast,
        absolute_error / n AS mae,
        CASE WHEN forecast IS NOT NULL THEN sqrt(greatest(forecast_squared - 2 * product + actual_squared, 0) / n) END AS rmse,
        (n * product - forecast * actual)
            / nullif(
                sqrt(greatest(n * forecast_squared - forecast * forecast, 0)) * sqrt(greatest(n * actual_squared - actual * actual, 0)),
                0
            ) AS correlation,
        auc,
        squared_error / n AS brier,
        calibration_errors.calibration_error,
        CAST(revenue AS DOUBLE) AS revenue,
        forecast_revenue
    FROM summed
    LEFT JOIN calibration_errors ON calibration_errors.model_name = summed.model_name
),

spenders AS (
    SELECT
        CAST(holdout_purchases_count AS DOUBLE) AS days,
        CAST(holdout_revenue AS DOUBLE) AS actual,
        expected_spend(spend.params, calibration_repeat_purchases_count, greatest(coalesce(calibration_repeat_spend_mean, 0), 0)) AS forecast
    FROM purchase_histories
    CROSS JOIN spend
    WHERE holdout_purchases_count > 0
),

spend_sums AS (
    SELECT
        CAST(count(forecast) AS DOUBLE) AS n,
        CAST(sum(CAST(actual AS DECIMAL(28, 10))) AS DOUBLE) AS actual,
        CAST(sum(CAST(forecast * days AS DECIMAL(28, 10))) AS DOUBLE) AS forecast,
        CAST(sum(CAST(abs(forecast - actual / days) AS DECIMAL(28, 10))) AS DOUBLE) AS absolute_error,
        CAST(sum(CAST(power(forecast - actual / days, 2) AS DECIMAL(28, 10))) AS DOUBLE) AS squared_error,
        CAST(sum(CAST(forecast AS DECIMAL(28, 10))) AS DOUBLE) AS means,
        CAST(sum(CAST(forecast * forecast AS DECIMAL(28, 10))) AS DOUBLE) AS means_squared,
        CAST(sum(CAST(actual / days AS DECIMAL(28, 10))) AS DOUBLE) AS actual_means,
        CAST(sum(CAST(power(actual / days, 2) AS DECIMAL(28, 10))) AS DOUBLE) AS actual_means_squared,
        CAST(sum(CAST(forecast * actual / days AS DECIMAL(28, 10))) AS DOUBLE) AS product
    FROM spenders
    WHERE forecast IS NOT NULL
),

compared AS (
    SELECT
        model_name,
        customers_count,
        actual,
        forecast,
        mae,
        rmse,
        correlation,
        auc,
        brier,
        calibration_error,
        revenue,
        forecast_revenue
    FROM purchases
    UNION ALL
    SELECT
        'gamma_gamma' AS model_name,
        CAST(n AS BIGINT) AS customers_count,
        actual,
        forecast,
        absolute_error / nullif(n, 0) AS mae,
        sqrt(squared_error / nullif(n, 0)) AS rmse,
        (n * product - means * actual_means)
            / nullif(
                sqrt(greatest(n * means_squared - means * means, 0))
                    * sqrt(greatest(n * actual_means_squared - actual_means * actual_means, 0)),
                0
            ) AS correlation,
        NULL AS auc,
        NULL AS brier,
        NULL AS calibration_error,
        NULL AS revenue,
        NULL AS forecast_revenue
    FROM spend_sums
),

names AS (
    SELECT model_name FROM everything
    UNION ALL
    SELECT 'rate_rule' AS model_name
    UNION ALL
    SELECT 'recency_rule' AS model_name
)

SELECT
    as_of() AS as_of_date,
    names.model_name,
    coalesce(ranked.choice = 1, FALSE) OR (names.model_name = 'gamma_gamma' AND everything.model_status = 'ok') AS is_chosen,
    everything.model_status,
    everything.params,
    everything.standard_errors,
    everything.log_likelihood,
    everything.aic,
    everything.n,
    everything.iterations,
    everything.gradient_max,
    everything.converged,
    CASE WHEN everything.model_name IS NOT NULL THEN 'week' END AS time_unit,
    starts.calibration_date,
    starts.holdout_days,
    known.params AS holdout_params,
    known.model_status AS holdout_model_status,
    compared.customers_count AS holdout_customers_count,
    compared.actual AS holdout_actual,
    compared.forecast AS holdout_predicted,
    compared.forecast / nullif(compared.actual, 0) - 1 AS holdout_bias,
    compared.mae AS holdout_mae,
    compared.rmse AS holdout_rmse,
    compared.correlation AS holdout_correlation,
    compared.auc AS holdout_auc,
    compared.brier AS holdout_brier,
    compared.calibration_error AS holdout_calibration_error,
    CAST(compared.revenue AS DECIMAL(18, 4)) AS holdout_revenue_actual,
    CAST(compared.forecast_revenue AS DECIMAL(18, 4)) AS holdout_revenue_predicted,
    compared.forecast_revenue / nullif(compared.revenue, 0) - 1 AS holdout_revenue_bias,
    starts.first_tenth_share,
    CASE
        WHEN everything.model_name IS NOT NULL AND everything.model_name <> 'gamma_gamma' AND starts.first_tenth_share > 0.2
            THEN 'log_may_start_late'
    END AS note
FROM names
CROSS JOIN starts
LEFT JOIN everything ON everything.model_name = names.model_name
LEFT JOIN ranked ON ranked.model_name = names.model_name
LEFT JOIN model_fits AS known ON known.model_name = names.model_name AND known.sample = 'calibration'
LEFT JOIN compared ON compared.model_name = names.model_name
