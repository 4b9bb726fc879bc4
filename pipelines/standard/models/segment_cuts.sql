-- name: segment_cuts
-- grain: one row per observed day (the as-of day and the twelve month ends before it) on which somebody had bought
-- description: Where the scores of `customer_segments` change. Score of a value = 1 + cut points strictly below it (recency: 6 minus that),
--   so that equal customers always score equally. By default the cut points of a day are the quintiles (type 7, as in R and NumPy) over the
--   customers who had an order by then. Cut points of your own are set as four numbers, smallest first, and hold on every day:
--   `rfm_recency_cuts: "30,90,180,365"` (days), `rfm_frequency_cuts: "1,2,3,6"` (orders), `rfm_monetary_cuts: "50,100,250,1000"`.
--   Past days are recomputed from the orders as they stand today, in one pass: a list of order dates for each customer, the state of each
--   list before 13 days, and the number of customers in each state.
-- columns:
--   observed_date [date]: End of this day.
--   is_as_of: True for the as-of day, false for a month end before it.
--   buyers_count [customers]: Customers who had an order by then.
--   recency_cut_1 [days]: First cut point of days since the last order.
--   recency_cut_2 [days]: Second.
--   recency_cut_3 [days]: Third.
--   recency_cut_4 [days]: Fourth.
--   frequency_cut_1 [orders]: First cut point of orders.
--   frequency_cut_2 [orders]: Second.
--   frequency_cut_3 [orders]: Third.
--   frequency_cut_4 [orders]: Fourth.
--   monetary_cut_1 [reporting currency]: First cut point of net revenue; null before the as-of day, where nothing needs it, unless set.
--   monetary_cut_2 [reporting currency]: Second.
--   monetary_cut_3 [reporting currency]: Third.
--   monetary_cut_4 [reporting currency]: Fourth.
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
        unnest(days.next_days) AS next_day,
        unnest(count_before(bought.order_dates, days.next_days)) AS orders_count,
        unnest(last_before(bought.order_dates, days.next_days)) AS last_order_date
    FROM bought
    CROSS JOIN days
),

counted AS (
    SELECT next_day, orders_count, CAST(next_day AS INT) - 1 - CAST(last_order_date AS INT) AS days_since_last_order, count(*) AS customers_count
    FROM states
    WHERE last_order_date IS NOT NULL
    GROUP BY next_day, orders_count, days_since_last_order
),

cumulated AS (
    SELECT
        next_day,
        orders_count,
        days_since_last_order,
        sum(customers_count) OVER (PARTITION BY next_day) AS buyers_count,
        sum(customers_count) OVER (PARTITION BY next_day ORDER BY days_since_last_order) AS buyers_as_recent,
        sum(customers_count) OVER (PARTITION BY next_day ORDER BY orders_count) AS buyers_as_seldom
    FROM counted
),

-- The value at rank r (from 0) is the least one with more than r customers up to it; a quantile p of type 7 lies between the ranks
-- around (n - 1) * p.
ranked AS (
    SELECT
        next_day,
        max(buyers_count) AS buyers_count,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > floor((buyers_count - 1) * 0.2)) AS recency_low_1,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > ceil((buyers_count - 1) * 0.2)) AS recency_high_1,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > floor((buyers_count - 1) * 0.4)) AS recency_low_2,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > ceil((buyers_count - 1) * 0.4)) AS recency_high_2,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > floor((buyers_count - 1) * 0.6)) AS recency_low_3,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > ceil((buyers_count - 1) * 0.6)) AS recency_high_3,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > floor((buyers_count - 1) * 0.8)) AS recency_low_4,
        min(days_since_last_order) FILTER (WHERE buyers_as_recent > ceil((buyers_count - 1) * 0.8)) AS recency_high_4,
        min(orders_count) FILTER (WHERE buyers_as_seldom > floor((buyers_count - 1) * 0.2)) AS frequency_low_1,
        min(orders_count) FILTER (WHERE buyers_as_seldom > ceil((buyers_count - 1) * 0.2)) AS frequency_high_1,
        min(orders_count) FILTER (WHERE buyers_as_seldom > floor((buyers_count - 1) * 0.4)) AS frequency_low_2,
        min(orders_count) FILTER (WHERE buyers_as_seldom > ceil((buyers_count - 1) * 0.4)) AS frequency_high_2,
        min(orders_count) FILTER (WHERE buyers_as_seldom > floor((buyers_count - 1) * 0.6)) AS frequency_low_3,
        min(orders_count) FILTER (WHERE buyers_as_seldom > ceil((buyers_count - 1) * 0.6)) AS frequency_high_3,
        min(orders_count) FILTER (WHERE buyers_as_seldom > floor((buyers_count - 1) * 0.8)) AS frequency_low_4,
        min(orders_count) FILTER (WHERE buyers_as_seldom > ceil((buyers_count - 1) * 0.8)) AS frequency_high_4
    FROM cumulated
    GROUP BY next_day
),

money AS (
    SELECT
        percentile_cont(0.2) WITHIN GROUP (ORDER BY CAST(net_revenue AS DOUBLE)) AS cut_1,
        percentile_cont(0.4) WITHIN GROUP (ORDER BY CAST(net_revenue AS DOUBLE)) AS cut_2,
        percentile_cont(0.6) WITHIN GROUP (ORDER BY CAST(net_revenue AS DOUBLE)) AS cut_3,
        percentile_cont(0.8) WITHIN GROUP (ORDER BY CAST(net_revenue AS DOUBLE)) AS cut_4
    FROM customer_orders
    WHERE orders_count > 0
),

own AS (
    SELECT
        string_to_array(nullif(setting('rfm_recency_cuts', ''), ''), ',') AS recency,
        string_to_array(nullif(setting('rfm_frequency_cuts', ''), ''), ',') AS frequency,
        string_to_array(nullif(setting('rfm_monetary_cuts', ''), ''), ',') AS monetary
),

final AS (
    SELECT
        CAST(ranked.next_day - INTERVAL '1' DAY AS DATE) AS observed_date,
        ranked.next_day > as_of() AS is_as_of,
        ranked.buyers_count,
        CASE WHEN own.recency IS NOT NULL THEN CAST(trim(own.recency[1]) AS DOUBLE)
            ELSE recency_low_1 + (recency_high_1 - recency_low_1) * ((buyers_count - 1) * 0.2 - floor((buyers_count - 1) * 0.2)) END AS recency_cut_1,
        CASE WHEN own.recency IS NOT NULL THEN CAST(trim(own.recency[2]) AS DOUBLE)
            ELSE recency_low_2 + (recency_high_2 - recency_low_2) * ((buyers_count - 1) * 0.4 - floor((buyers_count - 1) * 0.4)) END AS recency_cut_2,
        CASE WHEN own.recency IS NOT NULL THEN CAST(trim(own.recency[3]) AS DOUBLE)
            ELSE recency_low_3 + (recency_high_3 - recency_low_3) * ((buyers_count - 1) * 0.6 - floor((buyers_count - 1) * 0.6)) END AS recency_cut_3,
        CASE WHEN own.recency IS NOT NULL THEN CAST(trim(own.recency[4]) AS DOUBLE)
            ELSE recency_low_4 + (recency_high_4 - recency_low_4) * ((buyers_count - 1) * 0.8 - floor((buyers_count - 1) * 0.8)) END AS recency_cut_4,
        CASE WHEN own.frequency IS NOT NULL THEN CAST(trim(own.frequency[1]) AS DOUBLE)
            ELSE frequency_low_1 + (frequency_high_1 - frequency_low_1) * ((buyers_count - 1) * 0.2 - floor((buyers_count - 1) * 0.2)) END AS frequency_cut_1,
        CASE WHEN own.frequency IS NOT NULL THEN CAST(trim(own.frequency[2]) AS DOUBLE)
            ELSE frequency_low_2 + (frequency_high_2 - frequency_low_2) * ((buyers_count - 1) * 0.4 - floor((buyers_count - 1) * 0.4)) END AS frequency_cut_2,
        CASE WHEN own.frequency IS NOT NULL THEN CAST(trim(own.frequency[3]) AS DOUBLE)
            ELSE frequency_low_3 + (frequency_high_3 - frequency_low_3) * ((buyers_count - 1) * 0.6 - floor((buyers_count - 1) * 0.6)) END AS frequency_cut_3,
        CASE WHEN own.frequency IS NOT NULL THEN CAST(trim(own.frequency[4]) AS DOUBLE)
            ELSE frequency_low_4 + (frequency_high_4 - frequency_low_4) * ((buyers_count - 1) * 0.8 - floor((buyers_count - 1) * 0.8)) END AS frequency_cut_4,
        CASE WHEN own.monetary IS NOT NULL THEN CAST(trim(own.monetary[1]) AS DOUBLE) WHEN ranked.next_day > as_of() THEN money.cut_1 END AS monetary_cut_1,
        CASE WHEN own.monetary IS NOT NULL THEN CAST(trim(own.monetary[2]) AS DOUBLE) WHEN ranked.next_day > as_of() THEN money.cut_2 END AS monetary_cut_2,
        CASE WHEN own.monetary IS NOT NULL THEN CAST(trim(own.monetary[3]) AS DOUBLE) WHEN ranked.next_day > as_of() THEN money.cut_3 END AS monetary_cut_3,
        CASE WHEN own.monetary IS NOT NULL THEN CAST(trim(own.monetary[4]) AS DOUBLE) WHEN ranked.next_day > as_of() THEN money.cut_4 END AS monetary_cut_4
    FROM ranked
    CROSS JOIN money
    CROSS JOIN own
)

SELECT
    observed_date,
    is_as_of,
    buyers_count,
    recency_cut_1,
    recency_cut_2,
    recency_cut_3,
    recency_cut_4,
    frequency_cut_1,
    frequency_cut_2,
    frequency_cut_3,
    frequency_cut_4,
    monetary_cut_1,
    monetary_cut_2,
    monetary_cut_3,
    monetary_cut_4
FROM final
ORDER BY observed_date
