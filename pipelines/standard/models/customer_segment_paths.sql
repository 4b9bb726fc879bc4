-- name: customer_segment_paths
-- grain: one row per customer
-- description: The segment of each customer at the as-of day and at the twelve month ends before it, as the cut points of each day give it.
--   A pure function of the orders as they stand today, so that the same as-of day gives the same table whenever it is run. The segment
--   reads recency and frequency alone: 25 cells, 11 segments, and `prospects` before the first order (whether or not a source knew the
--   person by then). `segment_path` has a digit for each observed day, oldest first: 0 prospects, 1 lost, 2 hibernating, 3 at_risk,
--   4 cannot_lose_them, 5 about_to_sleep, 6 need_attention, 7 promising, 8 new_customers, 9 potential_loyalists, a loyal_customers,
--   b champions.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   segment_path: 13 digits, see above; the last one is the segment of the as-of day.
--   segment: Name of the segment on the as-of day.
--   segment_12m_ago: The first of the path: the segment at the month end twelve months before the last one (of the as-of day, if it is one).
--   previous_segment: The segment that the customer was in before, within the observed days; null if it was the same on all of them.
--   segment_since [date]: First observed day from which on the customer has been in the segment; null if that is before the first of them.
WITH days AS (
    SELECT array_append(
        generate_series(
            CAST(date_trunc('month', as_of()) - INTERVAL '11' MONTH AS DATE),
            CAST(date_trunc('month', as_of()) AS DATE),
            INTERVAL '1' MONTH
        ),
        CAST(as_of() + INTERVAL '1' DAY AS DATE)
    ) AS next_days
),

bought AS (
    SELECT customer_key, array_agg(order_date) AS order_dates
    FROM order_facts
    WHERE is_order AND customer_key IS NOT NULL
    GROUP BY customer_key
),

states AS (
    SELECT
        bought.customer_key,
        unnest(days.next_days) AS next_day,
        unnest(count_before(bought.order_dates, days.next_days)) AS orders_count,
        unnest(last_before(bought.order_dates, days.next_days)) AS last_order_date
    FROM bought
    CROSS JOIN days
),

observed AS (
    SELECT
        CAST(observed_date + INTERVAL '1' DAY AS DATE) AS next_day,
        CAST(observed_date AS INT) AS day_number,
        -- Each day has a hexadecimal digit of its own, the as-of day the last one.
        CAST(1 AS BIGINT) << CAST(4 * (row_number() OVER (ORDER BY observed_date DESC) - 1) AS BIGINT) AS place,
        recency_cut_1,
        recency_cut_2,
        recency_cut_3,
        recency_cut_4,
        frequency_cut_1,
        frequency_cut_2,
        frequency_cut_3,
        frequency_cut_4
    FROM segment_cuts
),

scored AS (
    SELECT
        states.customer_key,
        observed.place,
        5 - CAST(day_number - CAST(last_order_date AS INT) > recency_cut_1 AS INT) - CAST(day_number - CAST(last_order_date AS INT) > recency_cut_2 AS INT)
            - CAST(day_number - CAST(last_order_date AS INT) > recency_cut_3 AS INT) - CAST(day_number - CAST(last_order_date AS INT) > recency_cut_4 AS INT) AS recency,
        1 + CAST(orders_count > frequency_cut_1 AS INT) + CAST(orders_count > frequency_cut_2 AS INT)
            + CAST(orders_count > frequency_cut_3 AS INT) + CAST(orders_count > frequency_cut_4 AS INT) AS frequency
    FROM states
    INNER JOIN observed ON observed.next_day = states.next_day
    WHERE states.last_order_date IS NOT NULL
),

paths AS (
    SELECT
        customer_key,
        lpad(to_hex(sum(place * CASE
            WHEN recency = 1 AND frequency = 1 THEN 1
            WHEN recency <= 2 AND frequency <= 2 THEN 2
            WHEN recency <= 2 AND frequency <= 4 THEN 3
            WHEN recency <= 2 THEN 4
            WHEN recency = 3 AND frequency <= 2 THEN 5
            WHEN recency = 3 AND frequency = 3 THEN 6
            WHEN recency = 5 AND frequency >= 4 THEN 11
            WHEN frequency >= 4 THEN 10
            WHEN recency = 4 AND frequency = 1 THEN 7
            WHEN frequency = 1 THEN 8
            ELSE 9
        END)), 13, '0') AS segment_path
    FROM scored
    GROUP BY customer_key
),

every AS (
    SELECT customers.customer_key, coalesce(paths.segment_path, '0000000000000') AS segment_path
    FROM customers
    LEFT JOIN paths ON paths.customer_key = customers.customer_key
),

-- What is left of the path without the run of equal digits at its end.
before AS (
    SELECT
        customer_key,
        segment_path,
        right(segment_path, 1) AS digit,
        rtrim(segment_path, right(segment_path, 1)) AS path_before
    FROM every
),

final AS (
    SELECT
        customer_key,
        as_of() AS as_of_date,
        segment_path,
        digit,
        nullif(right(path_before, 1), '') AS previous_digit,
        CASE length(path_before)
            WHEN 0 THEN NULL
            WHEN 12 THEN as_of()
            WHEN 11 THEN CAST(date_trunc('month', as_of()) - INTERVAL '1' DAY AS DATE)
            WHEN 10 THEN CAST(date_trunc('month', as_of()) - INTERVAL '1' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 9 THEN CAST(date_trunc('month', as_of()) - INTERVAL '2' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 8 THEN CAST(date_trunc('month', as_of()) - INTERVAL '3' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 7 THEN CAST(date_trunc('month', as_of()) - INTERVAL '4' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 6 THEN CAST(date_trunc('month', as_of()) - INTERVAL '5' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 5 THEN CAST(date_trunc('month', as_of()) - INTERVAL '6' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 4 THEN CAST(date_trunc('month', as_of()) - INTERVAL '7' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 3 THEN CAST(date_trunc('month', as_of()) - INTERVAL '8' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 2 THEN CAST(date_trunc('month', as_of()) - INTERVAL '9' MONTH - INTERVAL '1' DAY AS DATE)
            WHEN 1 THEN CAST(date_trunc('month', as_of()) - INTERVAL '10' MONTH - INTERVAL '1' DAY AS DATE)
        END AS segment_since
    FROM before
)

SELECT
    customer_key,
    as_of_date,
    segment_path,
    CASE digit
        WHEN '0' THEN 'prospects' WHEN '1' THEN 'lost' WHEN '2' THEN 'hibernating' WHEN '3' THEN 'at_risk'
        WHEN '4' THEN 'cannot_lose_them' WHEN '5' THEN 'about_to_sleep' WHEN '6' THEN 'need_attention' WHEN '7' THEN 'promising'
        WHEN '8' THEN 'new_customers' WHEN '9' THEN 'potential_loyalists' WHEN 'a' THEN 'loyal_customers' ELSE 'champions'
    END AS segment,
    CASE left(segment_path, 1)
        WHEN '0' THEN 'prospects' WHEN '1' THEN 'lost' WHEN '2' THEN 'hibernating' WHEN '3' THEN 'at_risk'
        WHEN '4' THEN 'cannot_lose_them' WHEN '5' THEN 'about_to_sleep' WHEN '6' THEN 'need_attention' WHEN '7' THEN 'promising'
        WHEN '8' THEN 'new_customers' WHEN '9' THEN 'potential_loyalists' WHEN 'a' THEN 'loyal_customers' ELSE 'champions'
    END AS segment_12m_ago,
    CASE previous_digit
        WHEN '0' THEN 'prospects' WHEN '1' THEN 'lost' WHEN '2' THEN 'hibernating' WHEN '3' THEN 'at_risk'
        WHEN '4' THEN 'cannot_lose_them' WHEN '5' THEN 'about_to_sleep' WHEN '6' THEN 'need_attention' WHEN '7' THEN 'promising'
        WHEN '8' THEN 'new_customers' WHEN '9' THEN 'potential_loyalists' WHEN 'a' THEN 'loyal_customers' WHEN 'b' THEN 'champions'
    END AS previous_segment,
    segment_since
FROM final
