-- name: customer_orders
-- grain: one row per customer
-- unit: reporting currency
-- description: What each customer has bought up to the as-of day; a customer without an order (prospect) has zeros and no dates.
--   `contribution` = net revenue - tax - cost of goods - cost to serve (what interactions cost). Cost of goods and tax count as 0
--   where the sources do not know them: `orders_with_cost_count` says for how many orders they do.
--   `avg_days_between_orders` is the mean gap between days with an order, null with fewer than two such days.
WITH bought AS (
    SELECT
        customer_key,
        min(ordered_at) FILTER (WHERE is_order) AS first_order_at,
        max(ordered_at) FILTER (WHERE is_order) AS last_order_at,
        min(order_date) FILTER (WHERE is_order) AS first_order_date,
        max(order_date) FILTER (WHERE is_order) AS last_order_date,
        count(*) FILTER (WHERE is_order) AS orders_count,
        count(DISTINCT CASE WHEN is_order THEN order_date END) AS order_days_count,
        count(cost) FILTER (WHERE is_order) AS orders_with_cost_count,
        sum(gross) AS gross,
        sum(discount) AS discount,
        sum(refunded) AS refunded,
        sum(net_revenue) AS net_revenue,
        sum(tax) AS tax,
        sum(coalesce(cost, 0)) AS cost
    FROM order_facts
    WHERE customer_key IS NOT NULL
    GROUP BY customer_key
),

served AS (
    SELECT
        customer_key,
        count(*) AS interactions_count,
        sum(coalesce(cost, 0)) AS cost_to_serve
    FROM interactions
    WHERE customer_key IS NOT NULL AND local_date(occurred_at) <= as_of()
    GROUP BY customer_key
),

joined AS (
    SELECT
        customers.customer_key,
        bought.first_order_at,
        bought.last_order_at,
        bought.first_order_date,
        bought.last_order_date,
        coalesce(bought.orders_count, 0) AS orders_count,
        coalesce(bought.order_days_count, 0) AS order_days_count,
        coalesce(bought.orders_with_cost_count, 0) AS orders_with_cost_count,
        coalesce(served.interactions_count, 0) AS interactions_count,
        CAST(coalesce(bought.gross, 0) AS DECIMAL(18, 4)) AS gross,
        CAST(coalesce(bought.discount, 0) AS DECIMAL(18, 4)) AS discount,
        CAST(coalesce(bought.refunded, 0) AS DECIMAL(18, 4)) AS refunded,
        CAST(coalesce(bought.net_revenue, 0) AS DECIMAL(18, 4)) AS net_revenue,
        CAST(coalesce(bought.tax, 0) AS DECIMAL(18, 4)) AS tax,
        CAST(coalesce(bought.cost, 0) AS DECIMAL(18, 4)) AS cost,
        CAST(coalesce(served.cost_to_serve, 0) AS DECIMAL(18, 4)) AS cost_to_serve
    FROM customers
    LEFT JOIN bought ON bought.customer_key = customers.customer_key
    LEFT JOIN served ON served.customer_key = customers.customer_key
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    CAST(date_trunc('month', first_order_date) AS DATE) AS cohort_month,
    first_order_at,
    last_order_at,
    first_order_date,
    last_order_date,
    orders_count,
    order_days_count,
    orders_with_cost_count,
    interactions_count,
    CAST(as_of() AS INT) - CAST(last_order_date AS INT) AS days_since_last_order,
    CASE
        WHEN order_days_count > 1
            THEN CAST(CAST(last_order_date AS INT) - CAST(first_order_date AS INT) AS DOUBLE) / (order_days_count - 1)
    END AS avg_days_between_orders,
    gross,
    discount,
    refunded,
    net_revenue,
    tax,
    cost,
    cost_to_serve,
    CAST(net_revenue - tax - cost - cost_to_serve AS DECIMAL(18, 4)) AS contribution,
    CASE WHEN orders_count > 0 THEN CAST(gross / orders_count AS DECIMAL(18, 4)) END AS average_order_value,
    setting('currency') AS currency_code
FROM joined
