-- name: customer_clv
-- grain: one row per customer
-- unit: reporting currency
-- description: What each customer has been worth up to the as-of day, and what is expected on top. History is contribution: net revenue
--   without tax, less cost of goods, shipping, payment fees, returns and cost to serve. `clv_historical_discounted` is the same cash
--   valued at the day of the first order: amount / (1 + rate) ^ (days since first order / 365.2425), orders at the order's day,
--   refunds at the refund's day, interactions at theirs.
--   The residual value is forecast: discounted purchases (chosen model of `model_scorecard`) x expected amount of a purchase day
--   (Gamma-Gamma; where it is not identified, the customer's mean drawn towards the mean of all as if by `spend_shrinkage_purchases` (3)
--   purchases) x margin. The margin is contribution / net revenue of the customer, drawn towards that of all customers as if by
--   `margin_shrinkage_orders` (3) average orders; it may be negative, and then so is the residual value.
--   The bounds are of the expected value: 95 % by the delta method from the uncertainty of the parameters, cut at 0. What one customer
--   will do is far less certain.
--   The rate is the setting `discount_rate_annual` (0.10). Deciles (10 = highest) and tiers rank customers with an order by
--   `clv_total`, or by history where nothing was forecast; ties share a rank. Tiers by percent rank: platinum >= 0.95, gold >= 0.80,
--   silver >= 0.50, else bronze (settings `clv_platinum_percent_rank_min` and so on).
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   first_order_at [time]: First order; null without one.
--   tenure_days [days]: From the first order to the as-of day; null without an order.
--   orders_count [orders]: Orders up to the as-of day.
--   gross [reporting currency]: Charged for orders, tax included, before refunds.
--   refunded [reporting currency]: Refunded by the as-of day.
--   net_revenue [reporting currency]: Gross less refunds, tax included.
--   tax [reporting currency]: Tax in the net revenue.
--   cost [reporting currency]: Cost of the goods, where known.
--   cost_to_serve [reporting currency]: What contacts with the company cost.
--   clv_historical_net [reporting currency]: Contribution so far, undiscounted.
--   clv_historical_discounted [reporting currency]: The same, discounted to the day of the first order; null without an order.
--   expected_orders_12m [purchase days]: Expected purchase days in the next twelve months; null without an order or a model.
--   expected_orders_36m [purchase days]: Expected purchase days in the next 36 months.
--   expected_order_value [reporting currency]: Expected net revenue of a purchase day.
--   margin_rate [share]: Contribution expected of each unit of net revenue; may be negative.
--   clv_residual_12m [reporting currency]: Expected contribution of the next twelve months, discounted to the as-of day.
--   clv_residual_12m_low [reporting currency]: Lower bound of it.
--   clv_residual_12m_high [reporting currency]: Upper bound of it.
--   clv_residual_36m [reporting currency]: Expected contribution of the next 36 months, discounted to the as-of day.
--   clv_residual_36m_low [reporting currency]: Lower bound of it.
--   clv_residual_36m_high [reporting currency]: Upper bound of it.
--   clv_total [reporting currency]: `clv_historical_net` + `clv_residual_36m`; null where nothing was forecast.
--   clv_decile: 10 = the tenth of highest value; null without an order.
--   clv_tier: platinum, gold, silver or bronze; null without an order.
--   margin_basis: What was known of the cost of goods: contribution (all orders), partly_contribution, or net_revenue (none).
--   horizon_days [days]: Horizon of `clv_total`; 0 where nothing was forecast.
--   discount_rate_annual [share]: Annual discount rate.
--   purchase_model: Model of the purchases; null where there is none.
--   spend_model: `gamma_gamma` or `shrunken_mean`; null where nothing was forecast.
--   currency_code: The reporting currency.
WITH cash AS (
    SELECT customer_key, order_date AS cash_date, contribution_at_order AS amount
    FROM order_facts
    WHERE customer_key IS NOT NULL AND contribution_at_order <> 0
    UNION ALL
    SELECT customer_key, refund_date AS cash_date, contribution_at_refund AS amount
    FROM order_facts
    WHERE customer_key IS NOT NULL AND refund_date IS NOT NULL
    UNION ALL
    SELECT customer_key, contact_date AS cash_date, -cost AS amount
    FROM interaction_facts
    WHERE customer_key IS NOT NULL AND cost <> 0
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

spend_model AS (
    SELECT max(model_scorecard.params) AS params, max(model_fits.covariance) AS covariance
    FROM model_scorecard
    INNER JOIN model_fits ON model_fits.model_name = model_scorecard.model_name AND model_fits.sample = 'all'
    WHERE model_scorecard.is_chosen AND model_scorecard.model_name = 'gamma_gamma'
),

-- What an order is worth on average: towards it few orders are drawn.
overall AS (
    SELECT
        CAST(sum(net_revenue) AS DOUBLE) / nullif(sum(orders_count), 0) AS order_value,
        CAST(sum(net_revenue) AS DOUBLE) / nullif(sum(order_days_count), 0) AS day_value,
        CAST(sum(contribution) AS DOUBLE) / nullif(sum(orders_count), 0) AS order_contribution,
        CAST(setting('margin_shrinkage_orders', 3) AS DOUBLE) AS margin_orders,
        CAST(setting('spend_shrinkage_purchases', 3) AS DOUBLE) AS spend_purchases
    FROM customer_orders
    WHERE orders_count > 0
),

expected AS (
    SELECT
        customer_orders.customer_key,
        history_scores.model_name,
        history_scores.expected_purchases_12m,
        history_scores.expected_purchases_36m,
        history_scores.discounted_purchases_12m,
        history_scores.discounted_purchases_36m,
        coalesce(history_scores.discounted_purchases_12m_se, 0) AS discounted_purchases_12m_se,
        coalesce(history_scores.discounted_purchases_36m_se, 0) AS discounted_purchases_36m_se,
        spend_model.params IS NOT NULL AS has_spend_model,
        coalesce(
            expected_spend(
                spend_model.params, customer_orders.repeat_purchases_count, greatest(coalesce(customer_orders.repeat_spend_mean, 0), 0)
            ),
            (
                overall.spend_purchases * overall.day_value
                + customer_orders.repeat_purchases_count * greatest(coalesce(customer_orders.repeat_spend_mean, 0), 0)
            ) / (overall.spend_purchases + customer_orders.repeat_purchases_count)
        ) AS spend,
        coalesce(
            expected_spend_se(
                spend_model.params,
                spend_model.covariance,
                customer_orders.repeat_purchases_count,
                greatest(coalesce(customer_orders.repeat_spend_mean, 0), 0)
            ),
            0
        ) AS spend_se,
        (CAST(customer_orders.contribution AS DOUBLE) + overall.margin_orders * overall.order_contribution)
            / nullif(greatest(CAST(customer_orders.net_revenue AS DOUBLE), 0) + overall.margin_orders * overall.order_value, 0) AS margin
    FROM customer_orders
    CROSS JOIN spend_model
    CROSS JOIN overall
    INNER JOIN history_scores
        ON history_scores.repeat_purchases_count = customer_orders.repeat_purchases_count
        AND history_scores.recency_days = customer_orders.recency_days
        AND history_scores.age_days = customer_orders.age_days
    WHERE history_scores.model_name IS NOT NULL
),

residual AS (
    SELECT
        customer_key,
        model_name,
        has_spend_model,
        expected_purchases_12m,
        expected_purchases_36m,
        spend,
        margin,
        discounted_purchases_12m * spend * margin AS value_12m,
        discounted_purchases_36m * spend * margin AS value_36m,
        1.959963984540054 * abs(margin)
            * sqrt(power(discounted_purchases_12m_se * spend, 2) + power(discounted_purchases_12m * spend_se, 2)) AS width_12m,
        1.959963984540054 * abs(margin)
            * sqrt(power(discounted_purchases_36m_se * spend, 2) + power(discounted_purchases_36m * spend_se, 2)) AS width_36m
    FROM expected
),

-- An amount of money: what is beyond the type is cut, so that no forecast can end a run.
bounded AS (
    SELECT
        customer_key,
        model_name,
        has_spend_model,
        expected_purchases_12m,
        expected_purchases_36m,
        CAST(round(least(spend, 1e12), 4) AS DECIMAL(18, 4)) AS spend,
        margin,
        CAST(round(greatest(least(value_12m, 1e12), -1e12), 4) AS DECIMAL(18, 4)) AS value_12m,
        CAST(round(greatest(least(value_36m, 1e12), -1e12), 4) AS DECIMAL(18, 4)) AS value_36m,
        CAST(round(greatest(least(width_12m, 1e12), 0), 4) AS DECIMAL(18, 4)) AS width_12m,
        CAST(round(greatest(least(width_36m, 1e12), 0), 4) AS DECIMAL(18, 4)) AS width_36m
    FROM residual
),

joined AS (
    SELECT
        customer_orders.*,
        CAST(round(discounted.amount, 4) AS DECIMAL(18, 4)) AS clv_historical_discounted,
        bounded.model_name,
        bounded.has_spend_model,
        bounded.expected_purchases_12m,
        bounded.expected_purchases_36m,
        bounded.spend,
        bounded.margin,
        bounded.value_12m,
        bounded.value_36m,
        bounded.width_12m,
        bounded.width_36m,
        CAST(customer_orders.contribution + coalesce(bounded.value_36m, 0) AS DECIMAL(18, 4)) AS rank_value
    FROM customer_orders
    LEFT JOIN discounted ON discounted.customer_key = customer_orders.customer_key
    LEFT JOIN bounded ON bounded.customer_key = customer_orders.customer_key
),

ranked AS (
    SELECT customer_key, percent_rank() OVER (ORDER BY rank_value) AS value_rank
    FROM joined
    WHERE orders_count > 0
)

SELECT
    joined.customer_key,
    joined.as_of_date,
    joined.first_order_at,
    joined.age_days AS tenure_days,
    joined.orders_count,
    joined.gross,
    joined.refunded,
    joined.net_revenue,
    joined.tax,
    joined.cost,
    joined.cost_to_serve,
    joined.contribution AS clv_historical_net,
    CASE WHEN joined.orders_count > 0 THEN coalesce(joined.clv_historical_discounted, 0) END AS clv_historical_discounted,
    joined.expected_purchases_12m AS expected_orders_12m,
    joined.expected_purchases_36m AS expected_orders_36m,
    joined.spend AS expected_order_value,
    joined.margin AS margin_rate,
    joined.value_12m AS clv_residual_12m,
    CASE WHEN joined.value_12m >= 0 THEN greatest(joined.value_12m - joined.width_12m, 0) ELSE joined.value_12m - joined.width_12m END
        AS clv_residual_12m_low,
    CASE WHEN joined.value_12m >= 0 THEN joined.value_12m + joined.width_12m ELSE least(joined.value_12m + joined.width_12m, 0) END
        AS clv_residual_12m_high,
    joined.value_36m AS clv_residual_36m,
    CASE WHEN joined.value_36m >= 0 THEN greatest(joined.value_36m - joined.width_36m, 0) ELSE joined.value_36m - joined.width_36m END
        AS clv_residual_36m_low,
    CASE WHEN joined.value_36m >= 0 THEN joined.value_36m + joined.width_36m ELSE least(joined.value_36m + joined.width_36m, 0) END
        AS clv_residual_36m_high,
    CAST(joined.contribution + joined.value_36m AS DECIMAL(18, 4)) AS clv_total,
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
        WHEN joined.orders_count = 0 THEN NULL
        WHEN joined.orders_with_cost_count = joined.orders_count THEN 'contribution'
        WHEN joined.orders_with_cost_count = 0 THEN 'net_revenue'
        ELSE 'partly_contribution'
    END AS margin_basis,
    CASE WHEN joined.model_name IS NULL THEN 0 ELSE 1096 END AS horizon_days,
    CAST(setting('discount_rate_annual', 0.10) AS DOUBLE) AS discount_rate_annual,
    joined.model_name AS purchase_model,
    CASE WHEN joined.has_spend_model THEN 'gamma_gamma' WHEN joined.model_name IS NOT NULL THEN 'shrunken_mean' END AS spend_model,
    joined.currency_code
FROM joined
LEFT JOIN ranked ON ranked.customer_key = joined.customer_key
