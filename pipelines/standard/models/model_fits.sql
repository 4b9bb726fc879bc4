-- name: model_fits
-- grain: one row per model and sample
-- description: Models of purchases and of spend, fitted by maximum likelihood: to everything up to the as-of day (sample `all`, what
--   forecasts use) and to what was known on the calibration day (sample `calibration`, what the holdout tests). Parameters and
--   log-likelihood are in weeks of seven days. `gamma_gamma` is fitted to the mean spend of customers with a repeat purchase whose mean
--   is positive.
-- columns:
--   sample: `all` or `calibration`.
--   model_name: `nbd`, `bg_nbd`, `mbg_nbd`, `pareto_nbd` (purchases) or `gamma_gamma` (spend).
--   params: Parameters as JSON; time in weeks, money in the reporting currency. Null if the model was not fitted.
--   standard_errors: Standard errors of the parameters as JSON, from the Hessian at the optimum; null if it is singular there.
--   covariance: Covariance of the parameters as JSON, a list of rows; null if the Hessian is singular.
--   log_likelihood: At the optimum, in weeks; null if the model was not fitted.
--   aic: Akaike's criterion, 2 x parameters - 2 x log-likelihood.
--   n [customers]: Customers the model was fitted to.
--   iterations: Steps of the optimizer.
--   gradient_max: Largest component of the gradient per customer at the end, with respect to the logarithms of the parameters.
--   converged: Whether that is small enough for an optimum.
--   model_status: `ok`; `no_dropout_identified` (the data do not tell that customers leave, so the model runs to its limit, the NBD);
--     `too_few_customers`; `not_converged`; or another reason why the parameters should not be used.
WITH everything AS (
    SELECT repeat_purchases_count, recency_days, age_days, count(*) AS customers
    FROM purchase_histories
    GROUP BY repeat_purchases_count, recency_days, age_days
),

known AS (
    SELECT
        calibration_repeat_purchases_count AS repeat_purchases_count,
        calibration_recency_days AS recency_days,
        calibration_age_days AS age_days,
        count(*) AS customers
    FROM purchase_histories
    WHERE calibration_repeat_purchases_count IS NOT NULL
    GROUP BY calibration_repeat_purchases_count, calibration_recency_days, calibration_age_days
),

fitted AS (
    SELECT
        'all' AS sample,
        make_array(
            purchase_fit('nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('bg_nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('mbg_nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('pareto_nbd', repeat_purchases_count, recency_days, age_days, customers)
        ) AS fits
    FROM everything
    UNION ALL
    SELECT
        'calibration' AS sample,
        make_array(
            purchase_fit('nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('bg_nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('mbg_nbd', repeat_purchases_count, recency_days, age_days, customers),
            purchase_fit('pareto_nbd', repeat_purchases_count, recency_days, age_days, customers)
        ) AS fits
    FROM known
    UNION ALL
    SELECT 'all' AS sample, make_array(spend_fit(repeat_purchases_count, repeat_spend_mean)) AS fits
    FROM purchase_histories
    WHERE repeat_spend_mean > 0
    UNION ALL
    SELECT 'calibration' AS sample, make_array(spend_fit(calibration_repeat_purchases_count, calibration_repeat_spend_mean)) AS fits
    FROM purchase_histories
    WHERE calibration_repeat_spend_mean > 0
),

one_by_one AS (
    SELECT sample, unnest(fits) AS fit
    FROM fitted
)

SELECT
    sample,
    fit['model_name'] AS model_name,
    fit['params'] AS params,
    fit['standard_errors'] AS standard_errors,
    fit['covariance'] AS covariance,
    fit['log_likelihood'] AS log_likelihood,
    2 * CASE fit['model_name'] WHEN 'nbd' THEN 2 WHEN 'gamma_gamma' THEN 3 ELSE 4 END - 2 * fit['log_likelihood'] AS aic,
    fit['n'] AS n,
    fit['iterations'] AS iterations,
    fit['gradient_max'] AS gradient_max,
    fit['converged'] AS converged,
    fit['model_status'] AS model_status
FROM one_by_one
