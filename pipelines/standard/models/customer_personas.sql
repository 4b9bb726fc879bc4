-- name: customer_personas
-- grain: one row per customer with an order
-- description: The persona of each customer: the nearest cluster of `persona_fit`. `personas` tells what each is like. Numbers go by size and
--   may change from run to run when clusters change; compare the profiles, not the numbers.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   persona_id: Number of the persona, 1 the largest.
--   days_since_last_order [days]: First feature.
--   orders_count [orders]: Second.
--   average_order_value [reporting currency]: Third.
--   discount_share [share]: Fourth: discount of gross before discount.
--   refund_share [share]: Fifth: refunds of gross, at most 1.
--   contacts_per_order [contacts]: Sixth: interactions for each order.
WITH features AS (
    SELECT
        customer_key,
        as_of_date,
        days_since_last_order,
        orders_count,
        average_order_value,
        CASE WHEN gross + discount > 0 THEN CAST(discount AS DOUBLE) / CAST(gross + discount AS DOUBLE) ELSE 0.0 END AS discount_share,
        CASE WHEN gross > 0 THEN least(CAST(refunded AS DOUBLE) / CAST(gross AS DOUBLE), 1.0) ELSE 0.0 END AS refund_share,
        CAST(interactions_count AS DOUBLE) / orders_count AS contacts_per_order
    FROM customer_orders
    WHERE orders_count > 0
)

SELECT
    features.customer_key,
    features.as_of_date,
    kmeans_assign(
        arrow_cast(persona_fit.clusters, 'Utf8View'),
        make_array(
            ln(1.0 + days_since_last_order),
            ln(CAST(orders_count AS DOUBLE)),
            ln(1.0 + greatest(CAST(average_order_value AS DOUBLE), 0.0)),
            discount_share,
            refund_share,
            ln(1.0 + contacts_per_order)
        )
    ) AS persona_id,
    features.days_since_last_order,
    features.orders_count,
    features.average_order_value,
    features.discount_share,
    features.refund_share,
    features.contacts_per_order
FROM features
CROSS JOIN persona_fit
