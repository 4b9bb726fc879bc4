-- name: purchase_survival
-- grain: one row per curve and day on which something happened, and day 0
-- description: How long customers take to buy again, by the Kaplan-Meier estimator, which counts those who have not yet for as long as they were
--   seen. Curve `second_order`: days from the first day with an order to the second. Curve `next_order`: days from any day with an order to the
--   next one, so what is left is the share that has stayed away so long; the gap that is still open on the as-of day is censored.
--   Survival at t is the product of (1 - events / at risk) over the days up to t; its standard error is Greenwood's; the limits of 95 % are
--   exp(-exp(ln(-ln S) +- 1.96 se(ln(-ln S)))), which stay between 0 and 1. Gaps of one customer are not independent: limits of `next_order`
--   are too narrow. Days without an event are left out, so survival holds until the next row of its curve.
-- columns:
--   curve: second_order or next_order.
--   days_since [days]: Days since the first order, or since the order before.
--   at_risk_count [gaps]: Without a next order until that day, and seen for as long.
--   events_count [gaps]: Next orders on that day.
--   censored_count [gaps]: Open gaps that were seen no longer than this, since the row before.
--   survival [share]: Estimated share without a next order within that many days.
--   standard_error [share]: Greenwood's standard error of survival; null where survival is 0.
--   survival_lower [share]: Lower limit of the 95 % interval; null where survival is 0 or 1.
--   survival_upper [share]: Upper limit of the 95 % interval; null where survival is 0 or 1.
--   hazard_cumulative: Nelson-Aalen estimate of the cumulated hazard, the sum of events / at risk.
WITH curves AS (
    SELECT 'second_order' AS curve, days_since, events_count, censored_count
    FROM purchase_gaps
    WHERE is_first_gap
    UNION ALL
    SELECT 'next_order' AS curve, days_since, sum(events_count) AS events_count, sum(censored_count) AS censored_count
    FROM purchase_gaps
    GROUP BY days_since
),

at_risk AS (
    SELECT
        curve,
        days_since,
        events_count,
        -- All, less those who left before. A window that runs backward would turn the sums of fractions below into differences.
        sum(events_count + censored_count) OVER (PARTITION BY curve) + events_count + censored_count
            - sum(events_count + censored_count) OVER (PARTITION BY curve ORDER BY days_since) AS at_risk_count,
        sum(censored_count) OVER (PARTITION BY curve ORDER BY days_since) AS censored_until
    FROM curves
),

-- Rows with an event, and where each curve starts. An event cannot fall on day 0: gaps lie between different days.
steps AS (
    SELECT curve, days_since, at_risk_count, events_count, censored_until
    FROM at_risk
    WHERE events_count > 0
    UNION ALL
    SELECT
        curve,
        0 AS days_since,
        max(at_risk_count) AS at_risk_count,
        0 AS events_count,
        coalesce(max(censored_until) FILTER (WHERE days_since = 0), 0) AS censored_until
    FROM at_risk
    GROUP BY curve
),

-- Where the last one at risk has an event, survival is 0 for good: that row is the last of its curve.
summed AS (
    SELECT
        curve,
        days_since,
        at_risk_count,
        events_count,
        censored_until - lag(censored_until, 1, 0) OVER (PARTITION BY curve ORDER BY days_since) AS censored_count,
        sum(CASE WHEN events_count < at_risk_count THEN ln(1 - CAST(events_count AS DOUBLE) / at_risk_count) ELSE 0 END)
            OVER (PARTITION BY curve ORDER BY days_since) AS log_survival,
        sum(
            CASE
                WHEN events_count < at_risk_count
                    THEN CAST(events_count AS DOUBLE) / (CAST(at_risk_count AS DOUBLE) * (at_risk_count - events_count))
                ELSE 0
            END
        ) OVER (PARTITION BY curve ORDER BY days_since) AS greenwood,
        sum(CAST(events_count AS DOUBLE) / at_risk_count) OVER (PARTITION BY curve ORDER BY days_since) AS hazard_cumulative
    FROM steps
)

SELECT
    curve,
    days_since,
    at_risk_count,
    events_count,
    censored_count,
    CASE WHEN events_count < at_risk_count THEN exp(log_survival) ELSE CAST(0 AS DOUBLE) END AS survival,
    CASE WHEN events_count < at_risk_count THEN exp(log_survival) * sqrt(greenwood) END AS standard_error,
    CASE
        WHEN log_survival < 0 AND events_count < at_risk_count
            THEN exp(log_survival * exp(1.959963984540054 * sqrt(greenwood) / -log_survival))
    END AS survival_lower,
    CASE
        WHEN log_survival < 0 AND events_count < at_risk_count
            THEN exp(log_survival * exp(-1.959963984540054 * sqrt(greenwood) / -log_survival))
    END AS survival_upper,
    hazard_cumulative
FROM summed
