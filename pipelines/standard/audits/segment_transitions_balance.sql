-- name: segment_transitions_balance
-- description: Each of the twelve steps moves every customer once, who arrives on the as-of day are the segments, and who arrives on a day leaves from it.
WITH arrived AS (
    SELECT month_end AS observed_date, to_segment AS segment, sum(customers_count) AS customers_count
    FROM segment_transitions
    GROUP BY month_end, to_segment
),

left_from AS (
    SELECT from_date AS observed_date, from_segment AS segment, sum(customers_count) AS customers_count
    FROM segment_transitions
    GROUP BY from_date, from_segment
),

now AS (
    SELECT as_of() AS observed_date, segment, count(*) AS customers_count
    FROM customer_segments
    GROUP BY segment
),

following AS (
    SELECT observed_date, segment, customers_count FROM left_from
    WHERE observed_date > (SELECT min(from_date) FROM segment_transitions)
    UNION ALL
    SELECT observed_date, segment, customers_count FROM now
)

SELECT arrived.observed_date, following.observed_date AS following_date
FROM arrived
FULL JOIN following ON following.observed_date = arrived.observed_date AND following.segment = arrived.segment
WHERE arrived.customers_count IS DISTINCT FROM following.customers_count
