-- name: order_facts
-- grain: one row per order or credit note up to the as-of day
-- unit: reporting currency
-- description: The one place that decides which orders count and what they are worth; every other model reads it.
--   An order counts (`is_order`) when nothing excludes it and its gross is positive. A row of negative gross is a credit note: it is
--   no order, and its amount is a refund. A refund or cancellation counts from the day it was made, so that a report as of a past day
--   stays what it was.
--   Excluded orders stay, with the reason, the first that holds: cancelled; test, staff, business (their amounts are 0: they are no
--   sales to customers); free (gross of 0), fully_refunded (no purchase, but what they cost is real and counts). Settings:
--   `test_email_domains` and `staff_email_domains` (comma separated, matched on the address of the order and of the customer),
--   `exclude_business` (true; business is what the source flags as such: a company in an address is not enough, since people have
--   things sent to work), `count_free_orders` (false; true makes an order of 0 a purchase, as in transaction logs of the literature),
--   `exclude_fully_refunded` (false; true: an order refunded in full by the as-of day is no purchase).
--   Amounts are converted by the latest rate on or before the order's day that is no older than `exchange_rate_age_days_max` (7) days.
--   A refund is converted by the rate of its order, so that an order refunded in full is worth 0: what currencies did in between is no
--   business of the customer's. Without a rate the amounts are null, and the audit `order_facts_rates` ends the run.
--   `net_revenue` is gross less refunds, without shipping, tax included. Contribution takes off tax, goods, shipping, payment and
--   returns; goods stay a cost when they come back. Where an order does not say, `shipping_cost_per_order`, `payment_fee_rate` (of
--   gross and shipping), `payment_fee_fixed` and `return_cost_per_return` (all 0) hold, the last for an order with a refund and for a
--   credit note; for orders above 0 only. Shipping charged is income, without its tax, where the cost of shipping is known (by the order or a
--   setting above 0) and `shipping_is_income` (true) says so; else shipping is taken to pay for itself and both are 0.
-- columns:
--   customer_key: The customer; null where the order is nobody's.
--   source: Source of the order.
--   order_id: Id of the order inside its source.
--   ordered_at: When it was placed, UTC.
--   order_date [date]: Its day in the project's time zone.
--   refund_date [date]: Day of the refund, up to the as-of day; null without one.
--   is_order: Whether it is a purchase.
--   excluded_because: Why an order does not count: cancelled, test, staff, business, free or fully_refunded; null if nothing excludes it.
--   channel: Where it was placed.
--   currency_code: Currency of the order.
--   charged [currency of the order]: `gross` as the source has it.
--   exchange_rate [reporting currency per unit]: Rate that the amounts were converted by; 1 in the reporting currency; null without a rate.
--   exchange_rate_date [date]: Day of that rate; the order's day in the reporting currency.
--   gross [reporting currency]: Charged for goods, tax included, before refunds.
--   discount [reporting currency]: Discount already taken off.
--   refunded [reporting currency]: Refunded by the as-of day.
--   net_revenue [reporting currency]: gross - refunded.
--   tax [reporting currency]: Tax in `net_revenue`; 0 where unknown.
--   net_revenue_without_tax [reporting currency]: net_revenue - tax.
--   cost [reporting currency]: Cost of the goods; null where unknown, 0 for an excluded order whose amounts are 0.
--   shipping_income [reporting currency]: Shipping charged, without tax.
--   shipping_cost [reporting currency]: What shipping cost.
--   payment_fee [reporting currency]: What payment cost.
--   return_cost [reporting currency]: What handling the return cost.
--   contribution_at_order [reporting currency]: What the order left on its day, before any refund.
--   contribution_at_refund [reporting currency]: What the refund took on its day: the refund without its tax, and the return's cost.
--   contribution [reporting currency]: contribution_at_order + contribution_at_refund; before cost to serve.
WITH rated AS (
    SELECT
        currency,
        rate_date,
        min(rate) AS rate,
        lead(rate_date) OVER (PARTITION BY currency ORDER BY rate_date) AS next_date
    FROM exchange_rates
    WHERE rate > 0 AND rate_date <= as_of() AND currency <> setting('currency')
    GROUP BY currency, rate_date
),

-- Each rate on each day on which it is the latest one and young enough.
daily_rates AS (
    SELECT
        currency,
        rate,
        rate_date,
        unnest(generate_series(
            CAST(rate_date AS INT),
            least(
                CAST(rate_date AS INT) + CAST(setting('exchange_rate_age_days_max', 7) AS INT),
                CAST(as_of() AS INT),
                coalesce(CAST(next_date AS INT) - 1, CAST(as_of() AS INT))
            )
        )) AS day_no
    FROM rated
),

marked_customers AS (
    SELECT
        customer_key,
        strpos(concat(',', replace(lower(setting('test_email_domains', '')), ' ', ''), ','), concat(',', split_part(lower(email), '@', 2), ',')) > 0
            AS is_test,
        strpos(concat(',', replace(lower(setting('staff_email_domains', '')), ' ', ''), ','), concat(',', split_part(lower(email), '@', 2), ',')) > 0
            AS is_staff
    FROM customers
    WHERE email IS NOT NULL
        AND (setting('test_email_domains', '') <> '' OR setting('staff_email_domains', '') <> '')
        AND strpos(
            concat(',', replace(lower(concat(setting('test_email_domains', ''), ',', setting('staff_email_domains', ''))), ' ', ''), ','),
            concat(',', split_part(lower(email), '@', 2), ',')
        ) > 0
),

dated AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        local_date(ordered_at) AS order_date,
        local_date(CASE WHEN gross < 0 THEN ordered_at ELSE coalesce(refunded_at, ordered_at) END) AS refund_date,
        coalesce(is_cancelled, cancelled_at IS NOT NULL) AND local_date(coalesce(cancelled_at, ordered_at)) <= as_of() AS is_cancelled,
        coalesce(is_test, FALSE)
            OR (setting('test_email_domains', '') <> '' AND coalesce(strpos(
                concat(',', replace(lower(setting('test_email_domains', '')), ' ', ''), ','), concat(',', split_part(lower(email), '@', 2), ',')
            ) > 0, FALSE)) AS is_test,
        coalesce(is_staff, FALSE)
            OR (setting('staff_email_domains', '') <> '' AND coalesce(strpos(
                concat(',', replace(lower(setting('staff_email_domains', '')), ' ', ''), ','), concat(',', split_part(lower(email), '@', 2), ',')
            ) > 0, FALSE)) AS is_staff,
        coalesce(is_business, FALSE) AND setting('exclude_business', TRUE) AS is_business,
        channel,
        currency,
        gross,
        coalesce(discount, 0) AS discount,
        coalesce(tax, 0) AS tax,
        coalesce(shipping, 0) AS shipping,
        coalesce(refunded, 0) AS refunded,
        cost,
        shipping_cost,
        payment_fee,
        return_cost
    FROM orders
    WHERE local_date(ordered_at) <= as_of()
),

judged AS (
    SELECT
        dated.customer_key,
        dated.source,
        dated.order_id,
        dated.ordered_at,
        dated.order_date,
        dated.refund_date,
        CASE
            WHEN dated.is_cancelled THEN 'cancelled'
            WHEN dated.is_test OR marked_customers.is_test THEN 'test'
            WHEN dated.is_staff OR marked_customers.is_staff THEN 'staff'
            WHEN dated.is_business THEN 'business'
            WHEN dated.gross = 0 AND NOT setting('count_free_orders', FALSE) THEN 'free'
            WHEN dated.gross > 0 AND dated.refunded >= dated.gross AND dated.refund_date <= as_of() AND setting('exclude_fully_refunded', FALSE)
                THEN 'fully_refunded'
        END AS excluded_because,
        dated.channel,
        dated.currency,
        dated.gross AS charged,
        CASE WHEN dated.currency = setting('currency') THEN CAST(1 AS DOUBLE) ELSE daily_rates.rate END AS exchange_rate,
        CASE WHEN dated.currency = setting('currency') THEN dated.order_date ELSE daily_rates.rate_date END AS exchange_rate_date,
        CASE WHEN dated.gross < 0 THEN -dated.gross WHEN dated.refund_date <= as_of() THEN dated.refunded ELSE 0 END AS refunded,
        dated.discount,
        dated.tax,
        dated.shipping,
        dated.cost,
        dated.shipping_cost,
        dated.payment_fee,
        dated.return_cost
    FROM dated
    LEFT JOIN marked_customers ON marked_customers.customer_key = dated.customer_key
    LEFT JOIN daily_rates ON daily_rates.currency = dated.currency AND daily_rates.day_no = CAST(dated.order_date AS INT)
),

flagged AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        order_date,
        refund_date,
        excluded_because,
        channel,
        currency,
        charged,
        exchange_rate,
        exchange_rate_date,
        refunded,
        discount,
        tax,
        shipping,
        cost,
        shipping_cost,
        payment_fee,
        return_cost,
        excluded_because IS NULL OR excluded_because IN ('free', 'fully_refunded') AS is_counted,
        currency <> setting('currency') AS is_converted
    FROM judged
),

-- In the reporting currency; nothing of it for orders that are no sales to customers.
converted AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        order_date,
        refund_date,
        excluded_because,
        channel,
        currency,
        charged,
        exchange_rate,
        exchange_rate_date,
        is_counted,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(CASE WHEN charged > 0 THEN charged ELSE 0 END AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE CASE WHEN charged > 0 THEN charged ELSE 0 END
        END AS gross,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(abs(tax) AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE abs(tax)
        END AS tax_charged,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(refunded AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE refunded
        END AS refunded,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(discount AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE discount
        END AS discount,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(shipping AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE shipping
        END AS shipping,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(cost AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE cost
        END AS cost,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(shipping_cost AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE shipping_cost
        END AS shipping_cost,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(payment_fee AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE payment_fee
        END AS payment_fee,
        CASE
            WHEN NOT is_counted THEN 0
            WHEN is_converted THEN CAST(round(CAST(return_cost AS DOUBLE) * exchange_rate, 4) AS DECIMAL(18, 4))
            ELSE return_cost
        END AS return_cost
    FROM flagged
),

costed AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        order_date,
        refund_date,
        excluded_because,
        channel,
        currency,
        charged,
        exchange_rate,
        exchange_rate_date,
        gross,
        discount,
        refunded,
        cost,
        CASE WHEN charged > 0 THEN tax_charged ELSE 0 END AS tax_at_order,
        CASE
            WHEN charged < 0 THEN tax_charged
            WHEN refunded = 0 OR gross = 0 THEN 0
            WHEN refunded = gross THEN tax_charged
            ELSE CAST(round(CAST(tax_charged AS DOUBLE) * CAST(refunded AS DOUBLE) / CAST(gross AS DOUBLE), 4) AS DECIMAL(18, 4))
        END AS tax_at_refund,
        CASE
            WHEN NOT is_counted OR shipping = 0 OR NOT setting('shipping_is_income', TRUE) THEN 0
            WHEN shipping_cost IS NULL AND setting('shipping_cost_per_order', 0) = 0 THEN 0
            WHEN gross = 0 THEN shipping
            ELSE CAST(round(CAST(shipping AS DOUBLE) * (1 - CAST(tax_charged AS DOUBLE) / CAST(gross AS DOUBLE)), 4) AS DECIMAL(18, 4))
        END AS shipping_income,
        CASE
            WHEN shipping_cost IS NOT NULL THEN shipping_cost
            WHEN gross > 0 THEN CAST(setting('shipping_cost_per_order', 0) AS DECIMAL(18, 4))
            ELSE 0
        END AS shipping_cost,
        CASE
            WHEN payment_fee IS NOT NULL THEN payment_fee
            WHEN gross > 0 AND (setting('payment_fee_rate', 0) <> 0 OR setting('payment_fee_fixed', 0) <> 0)
                THEN CAST(
                    round(CAST(gross + shipping AS DOUBLE) * setting('payment_fee_rate', 0) + setting('payment_fee_fixed', 0), 4)
                    AS DECIMAL(18, 4)
                )
            ELSE 0
        END AS payment_fee,
        CASE
            WHEN return_cost IS NOT NULL THEN CASE WHEN refund_date <= as_of() THEN return_cost ELSE 0 END
            WHEN refunded > 0 THEN CAST(setting('return_cost_per_return', 0) AS DECIMAL(18, 4))
            ELSE 0
        END AS return_cost
    FROM converted
)

SELECT
    customer_key,
    source,
    order_id,
    ordered_at,
    order_date,
    CASE WHEN refunded > 0 OR return_cost > 0 THEN refund_date END AS refund_date,
    excluded_because IS NULL AND charged >= 0 AS is_order,
    excluded_because,
    channel,
    currency AS currency_code,
    charged,
    exchange_rate,
    exchange_rate_date,
    CAST(gross AS DECIMAL(18, 4)) AS gross,
    CAST(discount AS DECIMAL(18, 4)) AS discount,
    CAST(refunded AS DECIMAL(18, 4)) AS refunded,
    CAST(gross - refunded AS DECIMAL(18, 4)) AS net_revenue,
    CAST(tax_at_order - tax_at_refund AS DECIMAL(18, 4)) AS tax,
    CAST(gross - refunded - tax_at_order + tax_at_refund AS DECIMAL(18, 4)) AS net_revenue_without_tax,
    CAST(cost AS DECIMAL(18, 4)) AS cost,
    CAST(shipping_income AS DECIMAL(18, 4)) AS shipping_income,
    CAST(shipping_cost AS DECIMAL(18, 4)) AS shipping_cost,
    CAST(payment_fee AS DECIMAL(18, 4)) AS payment_fee,
    CAST(return_cost AS DECIMAL(18, 4)) AS return_cost,
    CAST(
        gross - tax_at_order + shipping_income - coalesce(cost, 0) - shipping_cost - payment_fee AS DECIMAL(18, 4)
    ) AS contribution_at_order,
    CAST(tax_at_refund - refunded - return_cost AS DECIMAL(18, 4)) AS contribution_at_refund,
    CAST(
        gross - refunded - tax_at_order + tax_at_refund + shipping_income - coalesce(cost, 0) - shipping_cost - payment_fee - return_cost
        AS DECIMAL(18, 4)
    ) AS contribution
FROM costed
