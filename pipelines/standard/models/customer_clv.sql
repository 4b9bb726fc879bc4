-- name: customer_clv
-- grain: one row per customer
-- unit: reporting currency
-- description: What each customer has been worth up to the as-of day; nothing in it is a forecast (`horizon_days` is 0).
--   `clv_historical_net` = `contribution` of `customer_orders`, undiscounted. `clv_historical_discounted` is the same
--   cash valued at the day of the first order: amount / (1 + rate) ^ (days since first order / 365.2425), orders at the order's day,
--   refunds at the refund's day, interactions at theirs; null without an order. The rate is the setting `discount_rate_annual` (0.10).
--   Deciles (10 = highest) and tiers rank customers with an order by `clv_historical_net`; ties share a rank. Tiers by percent rank:
--   platinum >= 0.95, gold >= 0.80, silver >= 0.50, else bronze. `margin_basis` says what was known of the cost of goods.
WITH orders_cash AS (
    SELECT
        customer_key,
        order_date AS cash_date,
        contribution_at_order AS amount
    FROM order_facts
    WHERE customer_key IS NOT NULL
),

refunds_cash AS (
    SELECT customer_key, refund_date AS cash_date, contribution_at_refund AS amount
    FROM order_facts
    WHERE customer_key IS NOT NULL AND refund_date IS NOT NULL
),

service_cash AS (
    SELECT customer_key, contact_date AS cash_date, -cost AS amount
    FROM interaction_facts
    WHERE customer_key IS NOT NULL
),

cash AS (
    SELECT customer_key, cash_date, amount FROM orders_cash
    UNION ALL
    SELECT customer_key, cash_date, amount FROM refunds_cash
    UNION ALL
    SELECT customer_key, cash_date, amount FROM service_cash
),

discounted AS (
    SELECT
        cash.customer_key,
        sum(CAST(
            CAST(cash.amount AS DOUBLE)
            / power(
                1 + CAST(setting('discount_rate_annual', 0.10) AS DOUBLE),
                (CAST(cash.cash_date AS INT) - CAST(customer_orders.first_order_date AS INT)) / 365.2425
            ) AS DECIMAL(28, 10)
        )) AS amount
    FROM cash
    INNER JOIN customer_orders ON customer_orders.customer_key = cash.customer_key
    WHERE customer_orders.orders_count > 0
    GROUP BY cash.customer_key
),

ranked AS (
    SELECT
        customer_key,
        percent_rank() OVER (ORDER BY contribution) AS value_rank
    FROM customer_orders
    WHERE orders_count > 0
)

SELECT
    customer_orders.customer_key,
    customer_orders.as_of_date,
    customer_orders.first_order_at,
    CAST(customer_orders.as_of_date AS INT) - CAST(customer_orders.first_order_date AS INT) AS tenure_days,
    customer_orders.orders_count,
    customer_orders.gross,
    customer_orders.refunded,
    customer_orders.net_revenue,
    customer_orders.tax,
    customer_orders.cost,
    customer_orders.cost_to_serve,
    customer_orders.contribution AS clv_historical_net,
    CAST(round(discounted.amount, 4) AS DECIMAL(18, 4)) AS clv_historical_discounted,
    CASE
        WHEN ranked.value_rank < 1 THEN CAST(floor(ranked.value_rank * 10) AS BIGINT) + 1
        WHEN ranked.value_rank = 1 THEN 10
    END AS clv_decile,
    CASE
        WHEN ranked.value_rank >= CAST(setting('clv_platinum_percent_rank_min', 0.95) AS DOUBLE) THEN 'platinum'
        WHEN ranked.value_rank >= CAST(setting('clv_gold_percent_rank_min', 0.80) AS DOUBLE) THEN 'gold'
        WHEN ranked.value_rank >= CAST(setting('clv_silver_percent_rank_min', 0.50) AS DOUBLE) THEN 'silver'
        WHEN ranked.value_rank IS NOT NULL THEN 'bronze'
    END AS clv_tier,
    CASE
        WHEN customer_orders.orders_count = 0 THEN NULL
        WHEN customer_orders.orders_with_cost_count = customer_orders.orders_count THEN 'contribution'
        WHEN customer_orders.orders_with_cost_count = 0 THEN 'net_revenue'
        ELSE 'partly_contribution'
    END AS margin_basis,
    0 AS horizon_days,
    CAST(setting('discount_rate_annual', 0.10) AS DOUBLE) AS discount_rate_annual,
    customer_orders.currency_code
FROM customer_orders
LEFT JOIN discounted ON discounted.customer_key = customer_orders.customer_key
LEFT JOIN ranked ON ranked.customer_key = customer_orders.customer_key
