-- name: order_facts
-- grain: one row per order or credit note up to the as-of day
-- unit: reporting currency
-- description: The one place that decides which orders count and what they are worth; every other model reads it.
--   An order counts (`is_order`) when it is not cancelled and its gross is positive. A row of negative gross is a credit note: it is
--   no order, and its amount is a refund. A refund counts from the day it was made, so that a report as of a past day stays what it
--   was. `net_revenue` is gross less refunds, without shipping, tax included; `tax` is the part of it that is tax, 0 where unknown.
WITH dated AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        local_date(ordered_at) AS order_date,
        local_date(CASE WHEN gross < 0 THEN ordered_at ELSE coalesce(refunded_at, ordered_at) END) AS refund_date,
        currency AS currency_code,
        gross AS charged,
        coalesce(discount, 0) AS discount,
        coalesce(tax, 0) AS tax_charged,
        coalesce(refunded, 0) AS refunded,
        cost
    FROM orders
    WHERE is_cancelled IS NOT TRUE AND local_date(ordered_at) <= as_of()
),

valued AS (
    SELECT
        customer_key,
        source,
        order_id,
        ordered_at,
        order_date,
        refund_date,
        currency_code,
        charged,
        discount,
        tax_charged,
        cost,
        CASE WHEN charged > 0 THEN charged ELSE 0 END AS gross,
        CASE WHEN charged < 0 THEN -charged WHEN refund_date <= as_of() THEN refunded ELSE 0 END AS refunded
    FROM dated
)

SELECT
    customer_key,
    source,
    order_id,
    ordered_at,
    order_date,
    CASE WHEN refunded > 0 THEN refund_date END AS refund_date,
    charged > 0 AS is_order,
    currency_code,
    CAST(gross AS DECIMAL(18, 4)) AS gross,
    CAST(discount AS DECIMAL(18, 4)) AS discount,
    CAST(refunded AS DECIMAL(18, 4)) AS refunded,
    CAST(gross - refunded AS DECIMAL(18, 4)) AS net_revenue,
    CASE
        WHEN charged = 0 THEN CAST(0 AS DECIMAL(18, 4))
        ELSE CAST(round(CAST(tax_charged AS DOUBLE) * CAST(gross - refunded AS DOUBLE) / CAST(charged AS DOUBLE), 4) AS DECIMAL(18, 4))
    END AS tax,
    cost
FROM valued
