-- name: customer_journeys
-- grain: one row per customer
-- description: How far each customer has come. The first stage that holds counts, from the last to the first:
--   advocacy: bought within `journey_window_days` (365) and in that time gave 9 or 10 as the last answer to "would you recommend us", or 4
--   or more in a review (interactions of kind `review`). retention: bought on two days or more, the last time within that window.
--   purchase: bought on one day, within the window. consideration: no order within the window, but within `journey_engagement_days` (90) put
--   something into a cart, looked at a product, came on two days or more, or wrote or called; or has consented to e-mail or marketing (a
--   subscriber; the latest statement counts, if it was made by the as-of day or has no day). awareness: all others, those who bought longer
--   ago and have been silent since included. Event names are those of GA4 and Shopify, in any case.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   journey_stage: awareness, consideration, purchase, retention or advocacy.
--   journey_reason: The rule that held: promoter, review, repeat_order, first_order, cart, product_view, visits, contact, subscriber,
--     lapsed (bought longer ago, silent since) or known (none of these).
WITH visited AS (
    SELECT
        customer_key,
        bool_or(lower(name) IN (
            'add_to_cart', 'begin_checkout', 'add_payment_info', 'add_shipping_info', 'add_to_wishlist',
            'product_added_to_cart', 'checkout_started'
        )) AS has_cart,
        bool_or(lower(name) IN ('view_item', 'product_viewed', 'select_item', 'view_search_results', 'search_submitted')) AS has_product_view,
        min(local_date(occurred_at)) < max(local_date(occurred_at)) AS has_visits
    FROM events
    WHERE customer_key IS NOT NULL
        AND local_date(occurred_at) <= as_of()
        AND CAST(local_date(occurred_at) AS INT) > CAST(as_of() AS INT) - CAST(setting('journey_engagement_days', 90) AS INT)
    GROUP BY customer_key
),

talked AS (
    SELECT
        customer_key,
        bool_or(lower(kind) IN ('ticket', 'call', 'chat')
            AND CAST(local_date(occurred_at) AS INT) > CAST(as_of() AS INT) - CAST(setting('journey_engagement_days', 90) AS INT)) AS has_contact,
        bool_or(lower(kind) = 'review' AND score >= 4) AS has_review
    FROM interactions
    WHERE customer_key IS NOT NULL
        AND local_date(occurred_at) <= as_of()
        AND CAST(local_date(occurred_at) AS INT) > CAST(as_of() AS INT) - CAST(setting('journey_window_days', 365) AS INT)
    GROUP BY customer_key
),

subscribed AS (
    SELECT customer_key, bool_or(is_granted) AS is_subscriber
    FROM consents
    WHERE channel IN ('email', 'newsletter', 'marketing') AND (decided_at IS NULL OR local_date(decided_at) <= as_of())
    GROUP BY customer_key
),

final AS (
    SELECT
        customer_orders.customer_key,
        customer_orders.as_of_date,
        coalesce(customer_orders.days_since_last_order < CAST(setting('journey_window_days', 365) AS INT), false) AS is_active,
        CASE
            WHEN customer_orders.days_since_last_order < CAST(setting('journey_window_days', 365) AS INT) THEN CASE
                WHEN customer_feedback.nps_class = 'promoter'
                    AND CAST(customer_feedback.nps_date AS INT) > CAST(as_of() AS INT) - CAST(setting('journey_window_days', 365) AS INT) THEN 'promoter'
                WHEN talked.has_review THEN 'review'
                WHEN customer_orders.order_days_count > 1 THEN 'repeat_order'
                ELSE 'first_order'
            END
            WHEN visited.has_cart THEN 'cart'
            WHEN visited.has_product_view THEN 'product_view'
            WHEN visited.has_visits THEN 'visits'
            WHEN talked.has_contact THEN 'contact'
            WHEN subscribed.is_subscriber THEN 'subscriber'
            WHEN customer_orders.orders_count > 0 THEN 'lapsed'
            ELSE 'known'
        END AS journey_reason
    FROM customer_orders
    LEFT JOIN customer_feedback ON customer_feedback.customer_key = customer_orders.customer_key
    LEFT JOIN visited ON visited.customer_key = customer_orders.customer_key
    LEFT JOIN talked ON talked.customer_key = customer_orders.customer_key
    LEFT JOIN subscribed ON subscribed.customer_key = customer_orders.customer_key
)

SELECT
    customer_key,
    as_of_date,
    CASE
        WHEN journey_reason IN ('promoter', 'review') THEN 'advocacy'
        WHEN journey_reason = 'repeat_order' THEN 'retention'
        WHEN is_active THEN 'purchase'
        WHEN journey_reason IN ('lapsed', 'known') THEN 'awareness'
        ELSE 'consideration'
    END AS journey_stage,
    journey_reason
FROM final
