-- name: model_fits_values
-- description: One row per model and sample; a fit with status ok has parameters, a log-likelihood and an optimum.
SELECT model_name
FROM model_fits
GROUP BY sample, model_name
HAVING count(*) > 1
UNION ALL
SELECT model_name
FROM model_fits
WHERE n < 0
    OR (model_status = 'ok' AND (params IS NULL OR log_likelihood IS NULL OR aic IS NULL OR NOT converged))
    OR model_status IS NULL
