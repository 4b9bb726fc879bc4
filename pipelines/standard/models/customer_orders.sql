-- name: customer_orders
-- grain: one row per customer
-- unit: reporting currency
-- description: What each customer has bought up to the as-of day; a customer without an order (prospect) has zeros and no dates.
--   Sums are over all rows of `order_facts`, so credit notes and what free and fully refunded orders cost are in them; counts and dates are
--   those of orders that count. `contribution` = net revenue - tax + shipping income - cost of goods - shipping - payment - returns - cost to serve.
--   What the sources do not know of these is 0: `orders_with_cost_count` says for how many orders the cost of goods is known.
--   `repeat_purchases_count`, `recency_days` and `age_days` are x, t_x and T of purchase models, on distinct days.
--   `repeat_spend_mean` is their spend: the mean over days with an order after the first such day of what the orders of that day are worth
--   less their own refunds; a credit note is no order and stays out of it, so on a plain log it is the mean of daily sales.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: As-of day of the run.
--   cohort_month [date]: First day of the month of the first order.
--   acquisition_channel: Channel of the first order, its source where the channel is unknown; null without an order.
--   first_order_at: When the first order was placed, UTC.
--   last_order_at: When the last order was placed, UTC.
--   first_order_date [date]: Day of the first order.
--   last_order_date [date]: Day of the last order.
--   orders_count [orders]: Orders that count.
--   excluded_orders_count [orders]: Orders that do not count; `order_facts` says why.
--   order_days_count [days]: Distinct days with an order.
--   repeat_purchases_count [days]: Days with an order after the first such day; null without an order.
--   recency_days [days]: From the first to the last order; null without an order.
--   age_days [days]: From the first order to the as-of day; null without an order.
--   orders_with_cost_count [orders]: Orders whose cost of goods is known.
--   interactions_count [contacts]: Contacts with the company.
--   days_since_last_order [days]: From the last order to the as-of day; null without an order.
--   avg_days_between_orders [days]: Mean gap between days with an order; null with fewer than two such days.
--   gross [reporting currency]: Charged for goods, tax included, before refunds.
--   discount [reporting currency]: Discount already taken off.
--   refunded [reporting currency]: Refunded by the as-of day.
--   net_revenue [reporting currency]: gross - refunded.
--   tax [reporting currency]: Tax in `net_revenue`; 0 where unknown.
--   net_revenue_without_tax [reporting currency]: net_revenue - tax.
--   cost [reporting currency]: Cost of the goods; 0 where unknown.
--   shipping_income [reporting currency]: Shipping charged, without tax.
--   shipping_cost [reporting currency]: What shipping cost.
--   payment_fee [reporting currency]: What payment cost.
--   return_cost [reporting currency]: What handling returns cost.
--   order_contribution [reporting currency]: What the orders left, before cost to serve.
--   cost_to_serve [reporting currency]: What contacts cost, by `interaction_facts`.
--   contribution [reporting currency]: order_contribution - cost_to_serve.
--   average_order_value [reporting currency]: Mean gross of an order that counts; null without an order.
--   repeat_spend_mean [reporting currency]: Mean net revenue of a repeat purchase day; null without a repeat purchase.
--   currency_code: The reporting currency.
WITH bought AS (
    SELECT
        customer_key,
        min(ordered_at) FILTER (WHERE is_order) AS first_order_at,
        max(ordered_at) FILTER (WHERE is_order) AS last_order_at,
        first_value(coalesce(channel, source) ORDER BY ordered_at, source, order_id) FILTER (WHERE is_order) AS acquisition_channel,
        count(*) FILTER (WHERE is_order) AS orders_count,
        count(*) FILTER (WHERE excluded_because IS NOT NULL) AS excluded_orders_count,
        count(cost) FILTER (WHERE is_order) AS orders_with_cost_count,
        sum(gross) FILTER (WHERE is_order) AS order_gross,
        sum(gross) AS gross,
        sum(discount) AS discount,
        sum(refunded) AS refunded,
        sum(tax) AS tax,
        sum(cost) AS cost,
        sum(shipping_income) AS shipping_income,
        sum(shipping_cost) AS shipping_cost,
        sum(payment_fee) AS payment_fee,
        sum(return_cost) AS return_cost
    FROM order_facts
    WHERE customer_key IS NOT NULL
    GROUP BY customer_key
),

order_days AS (
    SELECT customer_key, order_date, sum(net_revenue) AS net_revenue
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
    GROUP BY customer_key, order_date
),

paced AS (
    SELECT
        customer_key,
        count(*) AS order_days_count,
        min(order_date) AS first_order_date,
        max(order_date) AS last_order_date,
        sum(net_revenue) - first_value(net_revenue ORDER BY order_date) AS repeat_net_revenue
    FROM order_days
    GROUP BY customer_key
),

served AS (
    SELECT
        customer_key,
        count(*) AS interactions_count,
        sum(cost) AS cost_to_serve
    FROM interaction_facts
    WHERE customer_key IS NOT NULL
    GROUP BY customer_key
),

joined AS (
    SELECT
        customers.customer_key,
        bought.first_order_at,
        bought.last_order_at,
        bought.acquisition_channel,
        paced.first_order_date,
        paced.last_order_date,
        paced.repeat_net_revenue,
        coalesce(bought.orders_count, 0) AS orders_count,
        coalesce(bought.excluded_orders_count, 0) AS excluded_orders_count,
        coalesce(paced.order_days_count, 0) AS order_days_count,
        coalesce(bought.orders_with_cost_count, 0) AS orders_with_cost_count,
        coalesce(served.interactions_count, 0) AS interactions_count,
        bought.order_gross,
        CAST(coalesce(bought.gross, 0) AS DECIMAL(18, 4)) AS gross,
        CAST(coalesce(bought.discount, 0) AS DECIMAL(18, 4)) AS discount,
        CAST(coalesce(bought.refunded, 0) AS DECIMAL(18, 4)) AS refunded,
        CAST(coalesce(bought.tax, 0) AS DECIMAL(18, 4)) AS tax,
        CAST(coalesce(bought.cost, 0) AS DECIMAL(18, 4)) AS cost,
        CAST(coalesce(bought.shipping_income, 0) AS DECIMAL(18, 4)) AS shipping_income,
        CAST(coalesce(bought.shipping_cost, 0) AS DECIMAL(18, 4)) AS shipping_cost,
        CAST(coalesce(bought.payment_fee, 0) AS DECIMAL(18, 4)) AS payment_fee,
        CAST(coalesce(bought.return_cost, 0) AS DECIMAL(18, 4)) AS return_cost,
        CAST(coalesce(served.cost_to_serve, 0) AS DECIMAL(18, 4)) AS cost_to_serve
    FROM customers
    LEFT JOIN bought ON bought.customer_key = customers.customer_key
    LEFT JOIN paced ON paced.customer_key = customers.customer_key
    LEFT JOIN served ON served.customer_key = customers.customer_key
),

valued AS (
    SELECT
        customer_key,
        first_order_at,
        last_order_at,
        acquisition_channel,
        first_order_date,
        last_order_date,
        repeat_net_revenue,
        orders_count,
        excluded_orders_count,
        order_days_count,
        orders_with_cost_count,
        interactions_count,
        order_gross,
        gross,
        discount,
        refunded,
        gross - refunded AS net_revenue,
        tax,
        cost,
        shipping_income,
        shipping_cost,
        payment_fee,
        return_cost,
        gross - refunded - tax + shipping_income - cost - shipping_cost - payment_fee - return_cost AS order_contribution,
        cost_to_serve
    FROM joined
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    CAST(date_trunc('month', first_order_date) AS DATE) AS cohort_month,
    acquisition_channel,
    first_order_at,
    last_order_at,
    first_order_date,
    last_order_date,
    orders_count,
    excluded_orders_count,
    order_days_count,
    CASE WHEN order_days_count > 0 THEN order_days_count - 1 END AS repeat_purchases_count,
    CAST(last_order_date AS INT) - CAST(first_order_date AS INT) AS recency_days,
    CAST(as_of() AS INT) - CAST(first_order_date AS INT) AS age_days,
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
    CAST(net_revenue AS DECIMAL(18, 4)) AS net_revenue,
    tax,
    CAST(net_revenue - tax AS DECIMAL(18, 4)) AS net_revenue_without_tax,
    cost,
    shipping_income,
    shipping_cost,
    payment_fee,
    return_cost,
    CAST(order_contribution AS DECIMAL(18, 4)) AS order_contribution,
    cost_to_serve,
    CAST(order_contribution - cost_to_serve AS DECIMAL(18, 4)) AS contribution,
    CASE WHEN orders_count > 0 THEN CAST(order_gross / orders_count AS DECIMAL(18, 4)) END AS average_order_value,
    CASE WHEN order_days_count > 1 THEN CAST(repeat_net_revenue AS DOUBLE) / (order_days_count - 1) END AS repeat_spend_mean,
    setting('currency') AS currency_code
FROM valued
