-- name: segment_transitions
-- grain: one row per observed day and pair of segments (from, to) with a customer
-- description: Who moved where between two month ends, those that stayed included; the last day is the as-of day, an incomplete month unless
--   it is a month end. The customers who arrive in a segment on a day are its size on that day. Twelve steps, recomputed from the orders of
--   today (see `customer_segment_paths`); before the first order everybody is a prospect.
-- columns:
--   month_end [date]: Day on which the customers are in `to_segment`: a month end, or the as-of day.
--   from_date [date]: The observed day before, on which they are in `from_segment`.
--   from_segment: Segment on `from_date`.
--   to_segment: Segment on `month_end`.
--   customers_count [customers]: Customers with this step.
--   from_share [share]: Of the customers of `from_segment` on `from_date`.
--   to_share [share]: Of the customers of `to_segment` on `month_end`.
WITH paths AS (
    SELECT segment_path, count(*) AS customers_count
    FROM customer_segment_paths
    GROUP BY segment_path
),

steps AS (
    SELECT segment_path, customers_count, unnest(range(1, 13)) AS step
    FROM paths
),

counted AS (
    SELECT step, substr(segment_path, step, 1) AS from_digit, substr(segment_path, step + 1, 1) AS to_digit, sum(customers_count) AS customers_count
    FROM steps
    GROUP BY step, from_digit, to_digit
),

days AS (
    SELECT
        unnest(range(1, 13)) AS step,
        unnest(generate_series(
            CAST(date_trunc('month', as_of()) - INTERVAL '11' MONTH AS DATE),
            CAST(date_trunc('month', as_of()) AS DATE),
            INTERVAL '1' MONTH
        )) AS next_day
),

names AS (
    SELECT
        unnest(make_array('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b')) AS digit,
        unnest(make_array(
            'prospects', 'lost', 'hibernating', 'at_risk', 'cannot_lose_them', 'about_to_sleep', 'need_attention', 'promising',
            'new_customers', 'potential_loyalists', 'loyal_customers', 'champions'
        )) AS segment
),

final AS (
    SELECT
        CASE counted.step
            WHEN 12 THEN as_of()
            ELSE CAST(days.next_day + INTERVAL '1' MONTH - INTERVAL '1' DAY AS DATE)
        END AS month_end,
        CAST(days.next_day - INTERVAL '1' DAY AS DATE) AS from_date,
        origin.segment AS from_segment,
        target.segment AS to_segment,
        CAST(counted.customers_count AS BIGINT) AS customers_count,
        CAST(counted.customers_count AS DOUBLE) / sum(counted.customers_count) OVER (PARTITION BY counted.step, counted.from_digit) AS from_share,
        CAST(counted.customers_count AS DOUBLE) / sum(counted.customers_count) OVER (PARTITION BY counted.step, counted.to_digit) AS to_share
    FROM counted
    INNER JOIN days ON days.step = counted.step
    INNER JOIN names AS origin ON origin.digit = counted.from_digit
    INNER JOIN names AS target ON target.digit = counted.to_digit
)

SELECT month_end, from_date, from_segment, to_segment, customers_count, from_share, to_share
FROM final
ORDER BY month_end, from_segment, to_segment
