-- name: customer_segments
-- grain: one row per customer
-- description: Recency, frequency and monetary scores from 1 to 5 and the segment they give, with what else decides whom to write to: value
--   tier, journey stage, persona, and consent. `prospects` have no order and no score. Scores come from the cut points of `segment_cuts`, never
--   from NTILE, so that equal customers score equally; 1 is worst, 5 best. The segment reads recency and frequency alone
--   (`customer_segment_paths` has the map and the past).
--   `is_activatable_<channel>` is the filter for anything that is sent: there is an address for the channel, the channel or marketing as a
--   whole is consented to, and neither is refused. Consent is what is known now, whatever the as-of day: a withdrawal counts at once.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   days_since_last_order [days]: From the last order to the as-of day; null without an order.
--   orders_count [orders]: Orders so far.
--   net_revenue [reporting currency]: Of all orders, refunds taken off.
--   rfm_recency [score]: 1 to 5; null without an order.
--   rfm_frequency [score]: 1 to 5; null without an order.
--   rfm_monetary [score]: 1 to 5; null without an order.
--   rfm_score: The three digits, e.g. 543; null without an order.
--   segment: One of eleven, or prospects.
--   previous_segment: Segment before, at the month ends of the last year; null if it was the same on all of them.
--   segment_since [date]: First month end (or as-of day) since which the customer has been in the segment; null if longer than the last year.
--   shopify_group: The group of Shopify's RFM analysis that fits best, by its name there.
--   value_tier: platinum, gold, silver or bronze, as `customer_clv` has it; null without an order.
--   value_decile: 10 the highest, as `customer_clv` has it; null without an order.
--   journey_stage: awareness, consideration, purchase, retention or advocacy; see `customer_journeys`.
--   journey_reason: The rule that gave it.
--   persona_id: Number of the persona in `personas`; null without an order.
--   consent_marketing: Consent to marketing as a whole; null where nothing is known.
--   consent_email: Consent to e-mail; null where nothing is known.
--   consent_sms: Consent to text messages; null where nothing is known.
--   consent_phone: Consent to calls; null where nothing is known.
--   consent_post: Consent to letters; null where nothing is known.
--   consent_ads: Consent to be found again on ad platforms; null where nothing is known.
--   consent_personalization: Consent to personal content; null where nothing is known.
--   is_activatable_email: May be written to by e-mail.
--   is_activatable_sms: May be sent text messages.
--   is_activatable_phone: May be called.
--   is_activatable_post: May be written letters.
--   is_activatable_ads: May be part of an audience of an ad platform.
WITH scored AS (
    SELECT
        customer_orders.customer_key,
        5 - CAST(days_since_last_order > recency_cut_1 AS INT) - CAST(days_since_last_order > recency_cut_2 AS INT)
            - CAST(days_since_last_order > recency_cut_3 AS INT) - CAST(days_since_last_order > recency_cut_4 AS INT) AS rfm_recency,
        1 + CAST(orders_count > frequency_cut_1 AS INT) + CAST(orders_count > frequency_cut_2 AS INT)
            + CAST(orders_count > frequency_cut_3 AS INT) + CAST(orders_count > frequency_cut_4 AS INT) AS rfm_frequency,
        1 + CAST(CAST(net_revenue AS DOUBLE) > monetary_cut_1 AS INT) + CAST(CAST(net_revenue AS DOUBLE) > monetary_cut_2 AS INT)
            + CAST(CAST(net_revenue AS DOUBLE) > monetary_cut_3 AS INT) + CAST(CAST(net_revenue AS DOUBLE) > monetary_cut_4 AS INT) AS rfm_monetary
    FROM customer_orders
    CROSS JOIN segment_cuts
    WHERE customer_orders.orders_count > 0 AND segment_cuts.is_as_of
),

consented AS (
    SELECT
        customer_key,
        bool_and(is_granted) FILTER (WHERE channel = 'marketing') AS marketing,
        bool_and(is_granted) FILTER (WHERE channel IN ('email', 'newsletter')) AS email,
        bool_and(is_granted) FILTER (WHERE channel = 'sms') AS sms,
        bool_and(is_granted) FILTER (WHERE channel = 'phone') AS phone,
        bool_and(is_granted) FILTER (WHERE channel IN ('post', 'mail')) AS post,
        bool_and(is_granted) FILTER (WHERE channel IN ('ads', 'advertising')) AS ads,
        bool_and(is_granted) FILTER (WHERE channel IN ('personalization', 'personalisation')) AS personalization
    FROM consents
    GROUP BY customer_key
),

reachable AS (
    SELECT
        customers.customer_key,
        customers.email IS NOT NULL AS has_email,
        customers.phone IS NOT NULL AS has_phone,
        customers.street IS NOT NULL AND (customers.postcode IS NOT NULL OR customers.city IS NOT NULL) AS has_address,
        consented.marketing,
        consented.email,
        consented.sms,
        consented.phone,
        consented.post,
        consented.ads,
        consented.personalization
    FROM customers
    LEFT JOIN consented ON consented.customer_key = customers.customer_key
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
    customer_segment_paths.segment,
    customer_segment_paths.previous_segment,
    customer_segment_paths.segment_since,
    CASE customer_segment_paths.segment
        WHEN 'champions' THEN 'CHAMPIONS'
        WHEN 'loyal_customers' THEN 'LOYAL'
        WHEN 'potential_loyalists' THEN 'ACTIVE'
        WHEN 'new_customers' THEN 'NEW'
        WHEN 'promising' THEN 'PROMISING'
        WHEN 'need_attention' THEN 'NEEDS_ATTENTION'
        WHEN 'at_risk' THEN 'AT_RISK'
        WHEN 'cannot_lose_them' THEN 'PREVIOUSLY_LOYAL'
        WHEN 'about_to_sleep' THEN 'ALMOST_LOST'
        WHEN 'prospects' THEN 'PROSPECTS'
        ELSE 'DORMANT'
    END AS shopify_group,
    customer_clv.clv_tier AS value_tier,
    customer_clv.clv_decile AS value_decile,
    customer_journeys.journey_stage,
    customer_journeys.journey_reason,
    customer_personas.persona_id,
    reachable.marketing AS consent_marketing,
    reachable.email AS consent_email,
    reachable.sms AS consent_sms,
    reachable.phone AS consent_phone,
    reachable.post AS consent_post,
    reachable.ads AS consent_ads,
    reachable.personalization AS consent_personalization,
    reachable.has_email AND coalesce(reachable.email AND coalesce(reachable.marketing, true), reachable.marketing, false)
        AS is_activatable_email,
    reachable.has_phone AND coalesce(reachable.sms AND coalesce(reachable.marketing, true), reachable.marketing, false)
        AS is_activatable_sms,
    reachable.has_phone AND coalesce(reachable.phone AND coalesce(reachable.marketing, true), reachable.marketing, false)
        AS is_activatable_phone,
    reachable.has_address AND coalesce(reachable.post AND coalesce(reachable.marketing, true), reachable.marketing, false)
        AS is_activatable_post,
    (reachable.has_email OR reachable.has_phone)
        AND coalesce(reachable.ads AND coalesce(reachable.marketing, true), reachable.marketing, false) AS is_activatable_ads
FROM customer_orders
INNER JOIN customer_segment_paths ON customer_segment_paths.customer_key = customer_orders.customer_key
INNER JOIN reachable ON reachable.customer_key = customer_orders.customer_key
LEFT JOIN scored ON scored.customer_key = customer_orders.customer_key
LEFT JOIN customer_clv ON customer_clv.customer_key = customer_orders.customer_key
LEFT JOIN customer_journeys ON customer_journeys.customer_key = customer_orders.customer_key
LEFT JOIN customer_personas ON customer_personas.customer_key = customer_orders.customer_key
