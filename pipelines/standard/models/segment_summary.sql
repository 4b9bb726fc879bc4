-- name: segment_summary
-- grain: one row per segment that has a customer
-- unit: reporting currency
-- description: Size and value of each segment. Shares are from 0 to 1 of all customers, gross, net revenue and contribution; null where the
--   whole is 0 (contribution: or less).
-- columns:
--   segment: The segment.
--   as_of_date [date]: The as-of day.
--   customers_count [customers]: Customers in it.
--   customers_share [share]: Of all customers.
--   orders_count [orders]: Their orders.
--   avg_days_since_last_order [days]: Mean over those with an order; null if nobody has one.
--   avg_orders_count [orders]: Mean.
--   gross [reporting currency]: Before refunds.
--   gross_share [share]: Of all gross.
--   net_revenue [reporting currency]: Refunds taken off.
--   net_revenue_share [share]: Of all net revenue.
--   avg_net_revenue [reporting currency]: Mean of the customers.
--   contribution [reporting currency]: As in `customer_orders`.
--   contribution_share [share]: Of all contribution; a segment that costs more than it brings has a negative one.
--   platinum_count [customers]: Of the highest value tier.
--   gold_count [customers]: Of the second.
--   silver_count [customers]: Of the third.
--   bronze_count [customers]: Of the lowest; the four leave out prospects.
--   activatable_email_count [customers]: May be written to by e-mail.
--   activatable_ads_count [customers]: May be part of an audience of an ad platform.
--   currency_code: Reporting currency.
WITH joined AS (
    SELECT
        customer_segments.segment,
        customer_segments.value_tier,
        customer_segments.is_activatable_email,
        customer_segments.is_activatable_ads,
        customer_orders.orders_count,
        customer_orders.days_since_last_order,
        customer_orders.gross,
        customer_orders.net_revenue,
        customer_orders.contribution
    FROM customer_segments
    INNER JOIN customer_orders ON customer_orders.customer_key = customer_segments.customer_key
),

summed AS (
    SELECT
        segment,
        count(*) AS customers_count,
        sum(orders_count) AS orders_count,
        sum(days_since_last_order) AS days_since_last_order,
        count(days_since_last_order) AS buyers_count,
        sum(gross) AS gross,
        sum(net_revenue) AS net_revenue,
        sum(contribution) AS contribution,
        count(*) FILTER (WHERE value_tier = 'platinum') AS platinum_count,
        count(*) FILTER (WHERE value_tier = 'gold') AS gold_count,
        count(*) FILTER (WHERE value_tier = 'silver') AS silver_count,
        count(*) FILTER (WHERE value_tier = 'bronze') AS bronze_count,
        count(*) FILTER (WHERE is_activatable_email) AS activatable_email_count,
        count(*) FILTER (WHERE is_activatable_ads) AS activatable_ads_count
    FROM joined
    GROUP BY segment
),

totals AS (
    SELECT
        sum(customers_count) AS customers_count,
        sum(gross) AS gross,
        sum(net_revenue) AS net_revenue,
        sum(contribution) AS contribution
    FROM summed
)

SELECT
    summed.segment,
    as_of() AS as_of_date,
    summed.customers_count,
    CAST(summed.customers_count AS DOUBLE) / nullif(totals.customers_count, 0) AS customers_share,
    summed.orders_count,
    CAST(summed.days_since_last_order AS DOUBLE) / nullif(summed.buyers_count, 0) AS avg_days_since_last_order,
    CAST(summed.orders_count AS DOUBLE) / summed.customers_count AS avg_orders_count,
    CAST(summed.gross AS DECIMAL(18, 4)) AS gross,
    CAST(summed.gross AS DOUBLE) / nullif(CAST(totals.gross AS DOUBLE), 0) AS gross_share,
    CAST(summed.net_revenue AS DECIMAL(18, 4)) AS net_revenue,
    CAST(summed.net_revenue AS DOUBLE) / nullif(CAST(totals.net_revenue AS DOUBLE), 0) AS net_revenue_share,
    CAST(summed.net_revenue / summed.customers_count AS DECIMAL(18, 4)) AS avg_net_revenue,
    CAST(summed.contribution AS DECIMAL(18, 4)) AS contribution,
    CASE WHEN totals.contribution > 0 THEN CAST(summed.contribution AS DOUBLE) / CAST(totals.contribution AS DOUBLE) END AS contribution_share,
    summed.platinum_count,
    summed.gold_count,
    summed.silver_count,
    summed.bronze_count,
    summed.activatable_email_count,
    summed.activatable_ads_count,
    setting('currency') AS currency_code
FROM summed
CROSS JOIN totals
