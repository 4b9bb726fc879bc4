-- name: subscription_survival
-- grain: one row per month since the first paid month, from 0 to the longest seen plus the months to look ahead
-- unit: shares from 0 to 1
-- description: How long customers stay subscribed, as seen and as the shifted-beta-geometric model goes on (Fader and Hardie 2007). A customer
--   counts from the first paid month to the first month without a payment; what follows a return is left out. Who still pays is censored.
--   Seen: Kaplan-Meier with Greenwood's standard error. Fitted: by maximum likelihood to all customers at once, so it bends where the share of
--   those who stay rises with their tenure; null if the model could not be fitted, `model_status` says why. Months without anybody at risk are
--   null in what is seen. Months to look ahead: the setting `subscription_forecast_months` (24). Every month counts as a renewal: contracts that can
--   end once a year alone make steps in what is seen that no smooth curve has; look at them by a model of your own over `subscriptions`.
-- columns:
--   months_since_start [months]: Months since the first paid one, which is 0.
--   at_risk_count [customers]: Paid until the month before, and seen long enough to know whether they paid in this one.
--   churned_count [customers]: Of these, not paying in this month.
--   retention_rate [share]: 1 - churned / at risk; null if nobody was at risk.
--   survival [share]: Estimated share who still pay in this month; null beyond what was seen.
--   standard_error [share]: Greenwood's standard error of survival; null where survival is 0 or null.
--   retention_rate_fitted [share]: Share of those who paid the month before who pay in this one, by the model; null in month 0.
--   survival_fitted [share]: Share who still pay, by the model.
--   model_name: sbg.
--   params: Parameters alpha and beta of the chance to end at a renewal, as JSON.
--   standard_errors: Their standard errors, as JSON.
--   log_likelihood: Log-likelihood of the fit.
--   n [customers]: Customers who were seen for a renewal.
--   converged: Whether the fit came to an optimum.
--   model_status: ok, or why there is no fit.
WITH last_month AS (
    SELECT
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 2 AS BIGINT) AS month_no
),

first_spells AS (
    SELECT
        customer_key,
        min(CAST(date_part('year', month_end) * 12 + date_part('month', month_end) - 1 AS BIGINT)) FILTER (WHERE category = 'new') AS start_month,
        min(CAST(date_part('year', month_end) * 12 + date_part('month', month_end) - 1 AS BIGINT)) FILTER (WHERE category = 'churn') AS churn_month
    FROM subscription_changes
    GROUP BY customer_key
),

tenures AS (
    SELECT
        coalesce(churn_month, last_month.month_no) - start_month AS months_since_start,
        churn_month IS NOT NULL AS is_ended,
        count(*) AS customers_count
    FROM first_spells
    CROSS JOIN last_month
    GROUP BY coalesce(churn_month, last_month.month_no) - start_month, churn_month IS NOT NULL
),

fitted AS (
    SELECT subscription_fit(months_since_start, is_ended, customers_count) AS fit
    FROM tenures
),

months AS (
    SELECT unnest(generate_series(0, longest + CAST(setting('subscription_forecast_months', 24) AS BIGINT))) AS months_since_start
    FROM (SELECT max(months_since_start) AS longest FROM tenures) AS seen
    WHERE longest IS NOT NULL
),

counted AS (
    SELECT
        months_since_start,
        sum(customers_count) AS leaving_count,
        coalesce(sum(customers_count) FILTER (WHERE is_ended), 0) AS churned_count
    FROM tenures
    GROUP BY months_since_start
),

at_risk AS (
    SELECT
        months.months_since_start,
        coalesce(counted.churned_count, 0) AS churned_count,
        -- All, less those who left before. A window that runs backward would turn the sums of fractions below into differences.
        sum(coalesce(counted.leaving_count, 0)) OVER () + coalesce(counted.leaving_count, 0)
            - sum(coalesce(counted.leaving_count, 0)) OVER (ORDER BY months.months_since_start) AS at_risk_count
    FROM months
    LEFT JOIN counted ON counted.months_since_start = months.months_since_start
),

-- Where all that are at risk leave, survival is 0 from there on.
summed AS (
    SELECT
        months_since_start,
        at_risk_count,
        churned_count,
        sum(CASE WHEN churned_count < at_risk_count THEN ln(1 - CAST(churned_count AS DOUBLE) / at_risk_count) ELSE 0 END)
            OVER (ORDER BY months_since_start) AS log_survival,
        sum(
            CASE
                WHEN churned_count < at_risk_count
                    THEN CAST(churned_count AS DOUBLE) / (CAST(at_risk_count AS DOUBLE) * (at_risk_count - churned_count))
                ELSE 0
            END
        ) OVER (ORDER BY months_since_start) AS greenwood
    FROM at_risk
)

SELECT
    summed.months_since_start,
    summed.at_risk_count,
    summed.churned_count,
    CASE WHEN at_risk_count > 0 THEN 1 - CAST(churned_count AS DOUBLE) / at_risk_count END AS retention_rate,
    CASE
        WHEN at_risk_count > 0 AND churned_count = at_risk_count THEN CAST(0 AS DOUBLE)
        WHEN at_risk_count > 0 THEN exp(log_survival)
    END AS survival,
    CASE WHEN at_risk_count > churned_count THEN exp(log_survival) * sqrt(greenwood) END AS standard_error,
    CASE
        WHEN fit['model_status'] = 'ok' AND summed.months_since_start > 0
            THEN subscription_retention(fit['params'], summed.months_since_start)
    END AS retention_rate_fitted,
    CASE WHEN fit['model_status'] = 'ok' THEN subscription_survival(fit['params'], summed.months_since_start) END AS survival_fitted,
    fit['model_name'] AS model_name,
    fit['params'] AS params,
    fit['standard_errors'] AS standard_errors,
    fit['log_likelihood'] AS log_likelihood,
    fit['n'] AS n,
    fit['converged'] AS converged,
    fit['model_status'] AS model_status
FROM summed
CROSS JOIN fitted
