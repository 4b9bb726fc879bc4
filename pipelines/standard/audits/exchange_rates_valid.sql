-- name: exchange_rates_valid
-- description: Every rate is above 0, and no two sources give different rates for one currency and day.
-- show: rate_date, rate_min, rate_max
-- hint: mend the rates, or leave all but one source of them out
SELECT
    currency,
    rate_date,
    min(rate) AS rate_min,
    max(rate) AS rate_max
FROM exchange_rates
GROUP BY currency, rate_date
HAVING min(rate) <= 0 OR min(rate) <> max(rate)
