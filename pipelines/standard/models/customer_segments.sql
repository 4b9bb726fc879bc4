-- name: customer_segments
-- grain: one row per customer
-- description: Recency, frequency and monetary scores from 1 to 5 and the segment they give; `prospects` have no order and no score.
--   Scores come from cut points, never from NTILE, so that equal customers score equally: the type-7 quintiles of days since the last
--   order, of orders and of net revenue, over customers with an order. Score = 1 + cut points strictly below (recency: reversed).
--   The segment reads recency and frequency alone. Consent is not looked at here: filter on it before anybody is contacted.
WITH buyers AS (
    SELECT customer_key, days_since_last_order, orders_count, CAST(net_revenue AS DOUBLE) AS monetary
    FROM customer_orders
    WHERE orders_count > 0
),

cuts AS (
    SELECT
        percentile_cont(0.2) WITHIN GROUP (ORDER BY CAST(days_since_last_order AS DOUBLE)) AS recency_1,
        percentile_cont(0.4) WITHIN GROUP (ORDER BY CAST(days_since_last_order AS DOUBLE)) AS recency_2,
        percentile_cont(0.6) WITHIN GROUP (ORDER BY CAST(days_since_last_order AS DOUBLE)) AS recency_3,
        percentile_cont(0.8) WITHIN GROUP (ORDER BY CAST(days_since_last_order AS DOUBLE)) AS recency_4,
        percentile_cont(0.2) WITHIN GROUP (ORDER BY CAST(orders_count AS DOUBLE)) AS frequency_1,
        percentile_cont(0.4) WITHIN GROUP (ORDER BY CAST(orders_count AS DOUBLE)) AS frequency_2,
        percentile_cont(0.6) WITHIN GROUP (ORDER BY CAST(orders_count AS DOUBLE)) AS frequency_3,
        percentile_cont(0.8) WITHIN GROUP (ORDER BY CAST(orders_count AS DOUBLE)) AS frequency_4,
        percentile_cont(0.2) WITHIN GROUP (ORDER BY monetary) AS monetary_1,
        percentile_cont(0.4) WITHIN GROUP (ORDER BY monetary) AS monetary_2,
        percentile_cont(0.6) WITHIN GROUP (ORDER BY monetary) AS monetary_3,
        percentile_cont(0.8) WITHIN GROUP (ORDER BY monetary) AS monetary_4
    FROM buyers
),

scored AS (
    SELECT
        buyers.customer_key,
        5 - CAST(days_since_last_order > recency_1 AS INT) - CAST(days_since_last_order > recency_2 AS INT)
            - CAST(days_since_last_order > recency_3 AS INT) - CAST(days_since_last_order > recency_4 AS INT) AS rfm_recency,
        1 + CAST(orders_count > frequency_1 AS INT) + CAST(orders_count > frequency_2 AS INT)
            + CAST(orders_count > frequency_3 AS INT) + CAST(orders_count > frequency_4 AS INT) AS rfm_frequency,
        1 + CAST(monetary > monetary_1 AS INT) + CAST(monetary > monetary_2 AS INT)
            + CAST(monetary > monetary_3 AS INT) + CAST(monetary > monetary_4 AS INT) AS rfm_monetary
    FROM buyers
    CROSS JOIN cuts
)

SELECT
    customer_orders.customer_key,
    customer_orders.as_of_date,
    customer_orders.days_since_last_order,
    customer_orders.orders_count,
    customer_orders.net_revenue,
    scored.rfm_recency,
    scored.rfm_frequency,
    scored.rfm_monetary,
    CASE
        WHEN scored.customer_key IS NOT NULL
            THEN concat(CAST(scored.rfm_recency AS VARCHAR), CAST(scored.rfm_frequency AS VARCHAR), CAST(scored.rfm_monetary AS VARCHAR))
    END AS rfm_score,
    CASE
        WHEN scored.customer_key IS NULL THEN 'prospects'
        WHEN rfm_recency = 1 AND rfm_frequency = 1 THEN 'lost'
        WHEN rfm_recency <= 2 AND rfm_frequency <= 2 THEN 'hibernating'
        WHEN rfm_recency <= 2 AND rfm_frequency <= 4 THEN 'at_risk'
        WHEN rfm_recency <= 2 THEN 'cannot_lose_them'
        WHEN rfm_recency = 3 AND rfm_frequency <= 2 THEN 'about_to_sleep'
        WHEN rfm_recency = 3 AND rfm_frequency = 3 THEN 'need_attention'
        WHEN rfm_recency = 5 AND rfm_frequency >= 4 THEN 'champions'
        WHEN rfm_frequency >= 4 THEN 'loyal_customers'
        WHEN rfm_recency = 4 AND rfm_frequency = 1 THEN 'promising'
        WHEN rfm_frequency = 1 THEN 'new_customers'
        ELSE 'potential_loyalists'
    END AS segment
FROM customer_orders
LEFT JOIN scored ON scored.customer_key = customer_orders.customer_key
