-- name: segment_summary
-- grain: one row per segment that has a customer
-- unit: reporting currency
-- description: Size and value of each segment. Shares are from 0 to 1 of all customers, gross and net revenue; null where the whole is 0.
WITH joined AS (
    SELECT
        customer_segments.segment,
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
        sum(contribution) AS contribution
    FROM joined
    GROUP BY segment
),

totals AS (
    SELECT sum(customers_count) AS customers_count, sum(gross) AS gross, sum(net_revenue) AS net_revenue
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
    setting('currency') AS currency_code
FROM summed
CROSS JOIN totals
