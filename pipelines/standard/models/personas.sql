-- name: personas
-- grain: one row per persona
-- description: What each group of `customer_personas` is like: size, means, and a label of what stands out. A feature stands out when the mean of
--   the persona lies at least 0.5 standard deviations of all customers from the mean of all, in the form that was clustered (logarithms of
--   counts and money). Means are plain ones. Persona 1 is the largest of the sample they were fitted to.
-- columns:
--   persona_id: Number of the persona.
--   as_of_date [date]: The as-of day.
--   persona_label: What stands out, the same words in every project; `average` if nothing does.
--   customers_count [customers]: Customers in it.
--   customers_share [share]: Of all customers with an order.
--   avg_days_since_last_order [days]: Mean.
--   avg_orders_count [orders]: Mean.
--   avg_order_value [reporting currency]: Mean of the customers' average order values.
--   avg_discount_share [share]: Mean.
--   avg_refund_share [share]: Mean.
--   avg_contacts_per_order [contacts]: Mean.
--   recency_deviation [standard deviations]: Days since the last order, from the mean of all; positive means longer ago.
--   frequency_deviation [standard deviations]: Orders.
--   value_deviation [standard deviations]: Average order value.
--   discount_deviation [standard deviations]: Share of discounts.
--   refund_deviation [standard deviations]: Share of refunds.
--   contacts_deviation [standard deviations]: Contacts for each order.
--   silhouette [score]: Of all personas together, -1 to 1; see `persona_fit`.
WITH features AS (
    SELECT
        persona_id,
        days_since_last_order,
        orders_count,
        average_order_value,
        CAST(discount_share AS DECIMAL(20, 12)) AS discount_share,
        CAST(refund_share AS DECIMAL(20, 12)) AS refund_share,
        CAST(contacts_per_order AS DECIMAL(24, 12)) AS contacts_per_order,
        CAST(ln(1.0 + days_since_last_order) AS DECIMAL(20, 12)) AS recency,
        CAST(ln(CAST(orders_count AS DOUBLE)) AS DECIMAL(20, 12)) AS frequency,
        CAST(ln(1.0 + greatest(CAST(average_order_value AS DOUBLE), 0.0)) AS DECIMAL(20, 12)) AS basket,
        CAST(ln(1.0 + contacts_per_order) AS DECIMAL(20, 12)) AS contacts,
        CAST(power(ln(1.0 + days_since_last_order), 2) AS DECIMAL(20, 12)) AS recency_square,
        CAST(power(ln(CAST(orders_count AS DOUBLE)), 2) AS DECIMAL(20, 12)) AS frequency_square,
        CAST(power(ln(1.0 + greatest(CAST(average_order_value AS DOUBLE), 0.0)), 2) AS DECIMAL(20, 12)) AS basket_square,
        CAST(power(discount_share, 2) AS DECIMAL(20, 12)) AS discount_square,
        CAST(power(refund_share, 2) AS DECIMAL(20, 12)) AS refund_square,
        CAST(power(ln(1.0 + contacts_per_order), 2) AS DECIMAL(20, 12)) AS contacts_square
    FROM customer_personas
    WHERE persona_id IS NOT NULL
),

-- Sums of decimals do not depend on the order of rows; they become doubles only when they are divided.
summed AS (
    SELECT
        persona_id,
        count(*) AS customers_count,
        sum(days_since_last_order) AS days_since_last_order,
        sum(orders_count) AS orders_count,
        sum(average_order_value) AS average_order_value,
        sum(contacts_per_order) AS contacts_per_order,
        sum(recency) AS recency,
        sum(frequency) AS frequency,
        sum(basket) AS basket,
        sum(discount_share) AS discount,
        sum(refund_share) AS refund,
        sum(contacts) AS contacts,
        sum(recency_square) AS recency_square,
        sum(frequency_square) AS frequency_square,
        sum(basket_square) AS basket_square,
        sum(discount_square) AS discount_square,
        sum(refund_square) AS refund_square,
        sum(contacts_square) AS contacts_square
    FROM features
    GROUP BY persona_id
),

totals AS (
    SELECT
        sum(customers_count) AS customers_count,
        CAST(sum(recency) AS DOUBLE) / sum(customers_count) AS recency,
        CAST(sum(frequency) AS DOUBLE) / sum(customers_count) AS frequency,
        CAST(sum(basket) AS DOUBLE) / sum(customers_count) AS basket,
        CAST(sum(discount) AS DOUBLE) / sum(customers_count) AS discount,
        CAST(sum(refund) AS DOUBLE) / sum(customers_count) AS refund,
        CAST(sum(contacts) AS DOUBLE) / sum(customers_count) AS contacts,
        CAST(sum(recency_square) AS DOUBLE) / sum(customers_count) AS recency_square,
        CAST(sum(frequency_square) AS DOUBLE) / sum(customers_count) AS frequency_square,
        CAST(sum(basket_square) AS DOUBLE) / sum(customers_count) AS basket_square,
        CAST(sum(discount_square) AS DOUBLE) / sum(customers_count) AS discount_square,
        CAST(sum(refund_square) AS DOUBLE) / sum(customers_count) AS refund_square,
        CAST(sum(contacts_square) AS DOUBLE) / sum(customers_count) AS contacts_square
    FROM summed
),

-- A feature that is the same for all has a variance of rounding only: it stands out nowhere.
final AS (
    SELECT
        summed.persona_id,
        summed.customers_count,
        CAST(summed.customers_count AS DOUBLE) / totals.customers_count AS customers_share,
        CAST(summed.days_since_last_order AS DOUBLE) / summed.customers_count AS avg_days_since_last_order,
        CAST(summed.orders_count AS DOUBLE) / summed.customers_count AS avg_orders_count,
        CAST(summed.average_order_value AS DOUBLE) / summed.customers_count AS avg_order_value,
        CAST(summed.discount AS DOUBLE) / summed.customers_count AS avg_discount_share,
        CAST(summed.refund AS DOUBLE) / summed.customers_count AS avg_refund_share,
        CAST(summed.contacts_per_order AS DOUBLE) / summed.customers_count AS avg_contacts_per_order,
        CASE WHEN totals.recency_square - power(totals.recency, 2) > 1e-9
            THEN (CAST(summed.recency AS DOUBLE) / summed.customers_count - totals.recency) / sqrt(totals.recency_square - power(totals.recency, 2))
            ELSE 0.0 END AS recency_deviation,
        CASE WHEN totals.frequency_square - power(totals.frequency, 2) > 1e-9
            THEN (CAST(summed.frequency AS DOUBLE) / summed.customers_count - totals.frequency) / sqrt(totals.frequency_square - power(totals.frequency, 2))
            ELSE 0.0 END AS frequency_deviation,
        CASE WHEN totals.basket_square - power(totals.basket, 2) > 1e-9
            THEN (CAST(summed.basket AS DOUBLE) / summed.customers_count - totals.basket) / sqrt(totals.basket_square - power(totals.basket, 2))
            ELSE 0.0 END AS value_deviation,
        CASE WHEN totals.discount_square - power(totals.discount, 2) > 1e-9
            THEN (CAST(summed.discount AS DOUBLE) / summed.customers_count - totals.discount) / sqrt(totals.discount_square - power(totals.discount, 2))
            ELSE 0.0 END AS discount_deviation,
        CASE WHEN totals.refund_square - power(totals.refund, 2) > 1e-9
            THEN (CAST(summed.refund AS DOUBLE) / summed.customers_count - totals.refund) / sqrt(totals.refund_square - power(totals.refund, 2))
            ELSE 0.0 END AS refund_deviation,
        CASE WHEN totals.contacts_square - power(totals.contacts, 2) > 1e-9
            THEN (CAST(summed.contacts AS DOUBLE) / summed.customers_count - totals.contacts) / sqrt(totals.contacts_square - power(totals.contacts, 2))
            ELSE 0.0 END AS contacts_deviation
    FROM summed
    CROSS JOIN totals
)

SELECT
    final.persona_id,
    as_of() AS as_of_date,
    coalesce(nullif(concat_ws(
        ', ',
        CASE WHEN recency_deviation <= -0.5 THEN 'bought lately' WHEN recency_deviation >= 0.5 THEN 'bought long ago' END,
        CASE WHEN frequency_deviation >= 0.5 THEN 'orders often' WHEN frequency_deviation <= -0.5 THEN 'orders seldom' END,
        CASE WHEN value_deviation >= 0.5 THEN 'large orders' WHEN value_deviation <= -0.5 THEN 'small orders' END,
        CASE WHEN discount_deviation >= 0.5 THEN 'with discounts' WHEN discount_deviation <= -0.5 THEN 'at full price' END,
        CASE WHEN refund_deviation >= 0.5 THEN 'returns much' WHEN refund_deviation <= -0.5 THEN 'returns little' END,
        CASE WHEN contacts_deviation >= 0.5 THEN 'needs service' WHEN contacts_deviation <= -0.5 THEN 'needs no service' END
    ), ''), 'average') AS persona_label,
    CAST(final.customers_count AS BIGINT) AS customers_count,
    final.customers_share,
    final.avg_days_since_last_order,
    final.avg_orders_count,
    CAST(round(final.avg_order_value, 4) AS DECIMAL(18, 4)) AS avg_order_value,
    final.avg_discount_share,
    final.avg_refund_share,
    final.avg_contacts_per_order,
    final.recency_deviation,
    final.frequency_deviation,
    final.value_deviation,
    final.discount_deviation,
    final.refund_deviation,
    final.contacts_deviation,
    persona_fit.silhouette
FROM final
CROSS JOIN persona_fit
ORDER BY final.persona_id
