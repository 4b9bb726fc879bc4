-- name: purchase_gaps
-- grain: one row per length of a gap between purchase days, for first gaps and later ones
-- description: How long customers take from one day with an order to the next, counted. A gap that has not ended by the as-of day is censored:
--   it is known to be longer. `purchase_survival` makes curves of it.
-- columns:
--   is_first_gap: Whether the gap begins with the first order.
--   days_since [days]: Length of the gap; up to the as-of day where it has not ended.
--   events_count [gaps]: Gaps of this length that ended with an order.
--   censored_count [gaps]: Gaps that had lasted so long on the as-of day.
WITH spaced AS (
    SELECT
        CAST(order_date AS INT) AS day_no,
        CAST(lead(order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS INT) AS next_day_no,
        order_date = min(order_date) OVER (PARTITION BY customer_key ORDER BY order_date) AS is_first_gap
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
),

-- Of the orders of one day the last one begins the gap.
gaps AS (
    SELECT is_first_gap, next_day_no, coalesce(next_day_no, CAST(as_of() AS INT)) - day_no AS days_since
    FROM spaced
    WHERE next_day_no IS NULL OR next_day_no > day_no
)

SELECT
    is_first_gap,
    CAST(days_since AS BIGINT) AS days_since,
    count(next_day_no) AS events_count,
    count(*) - count(next_day_no) AS censored_count
FROM gaps
GROUP BY is_first_gap, days_since
