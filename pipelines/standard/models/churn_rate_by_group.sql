-- name: churn_rate_by_group
-- grain: one row per complete calendar month, dimension and value of it, from the month of the value's first order
-- unit: customers; rates from 0, above 1 where a young base shrinks faster than its mean
-- description: `churn_rate_monthly` by group: the same definitions and the same bridge, and over the values of a dimension the customers add up to
--   those of `churn_rate_monthly`. Dimensions: `acquisition_channel` (channel of the first order, its source where unknown),
--   `acquisition_year` (year of the first order) and `segment`: where the customer stood a year ago (`segment_12m_ago` of
--   `customer_segment_paths`), for all months, so that the last month says how many of each segment were lost since. The segment of today
--   would only say that those who stayed away are in the segments of those who stay away.
-- columns:
--   month_end [date]: Last day of the month.
--   dimension: acquisition_channel, acquisition_year or segment.
--   value: Value of the dimension.
--   customers_opening [customers]: Active twelve months earlier.
--   customers_lost [customers]: Active then, not at the month end.
--   customers_new [customers]: Active at the month end, first order within the twelve months.
--   customers_reactivated [customers]: Active at the month end and not twelve months earlier, first order before.
--   customers_closing [customers]: Active at the month end.
--   customers_lapsed [lapses]: Times a customer went inactive in the twelve months, come back since or not.
--   customers_average [customers]: Chronological mean of 13 month ends: (c0 / 2 + c1 + ... + c11 + c12 / 2) / 12.
--   churn_rate [share]: Lost / customers_average. May be above 1, see `rate_note`.
--   churn_rate_opening [share]: Lost / opening; never above 1.
--   churn_rate_open_close [share]: Lost / mean of opening and closing.
--   churn_rate_month_ends [share]: Lost / plain mean of the last twelve month ends.
--   rate_note: Why the rates are null, or why `churn_rate` is above 1; null else.
--   churn_window_days [days]: The window.
--   data_through_date [date]: Day of the newest order that was counted.
WITH bounds AS (
    SELECT
        CAST(date_part('year', min(active_from_date)) * 12 + date_part('month', min(active_from_date)) - 1 AS BIGINT) AS first_month,
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 1 AS BIGINT) - 1 AS last_month,
        max(last_order_date) AS data_through_date
    FROM customer_active_periods
),

-- Months as numbers. Active at the month ends from `from_month` to `to_month`, and then not before `next_month`.
periods AS (
    SELECT
        customer_active_periods.customer_key,
        customer_active_periods.active_from_date,
        CAST(date_part('year', customer_active_periods.active_from_date) * 12 + date_part('month', customer_active_periods.active_from_date) - 1 AS BIGINT) AS from_month,
        CAST(date_part('year', customer_active_periods.lapse_date) * 12 + date_part('month', customer_active_periods.lapse_date) - 1 AS BIGINT) - 1 AS to_month,
        coalesce(CAST(date_part('year', customer_active_periods.returned_date) * 12 + date_part('month', customer_active_periods.returned_date) - 1 AS BIGINT), bounds.last_month + 1) AS next_month,
        CAST(date_part('year', customer_active_periods.first_order_date) * 12 + date_part('month', customer_active_periods.first_order_date) - 1 AS BIGINT) AS first_month,
        customer_active_periods.is_lapsed,
        bounds.last_month
    FROM customer_active_periods
    CROSS JOIN bounds
),

grouped_periods AS (
    SELECT
        periods.customer_key,
        periods.active_from_date,
        customer_orders.acquisition_channel,
        CAST(date_part('year', customer_orders.first_order_date) AS VARCHAR) AS acquisition_year,
        customer_segment_paths.segment_12m_ago AS segment,
        periods.from_month,
        periods.to_month,
        periods.next_month,
        periods.first_month,
        periods.is_lapsed,
        periods.last_month
    FROM periods
    INNER JOIN customer_orders ON customer_orders.customer_key = periods.customer_key
    INNER JOIN customer_segment_paths ON customer_segment_paths.customer_key = periods.customer_key
),

-- Each period with itself and with every later one of the customer; few different ones for many customers.
pairs AS (
    SELECT
        earlier.acquisition_channel,
        earlier.acquisition_year,
        earlier.segment,
        earlier.from_month,
        earlier.to_month,
        earlier.next_month,
        earlier.first_month,
        earlier.is_lapsed,
        earlier.last_month,
        later.from_month AS later_from,
        later.to_month AS later_to,
        later.next_month AS later_next,
        earlier.active_from_date = later.active_from_date AS is_same,
        count(*) AS customers
    FROM grouped_periods AS earlier
    INNER JOIN periods AS later ON later.customer_key = earlier.customer_key
    WHERE later.active_from_date >= earlier.active_from_date
    GROUP BY
        earlier.acquisition_channel,
        earlier.acquisition_year,
        earlier.segment,
        earlier.from_month,
        earlier.to_month,
        earlier.next_month,
        earlier.first_month,
        earlier.is_lapsed,
        earlier.last_month,
        later.from_month,
        later.to_month,
        later.next_month,
        earlier.active_from_date = later.active_from_date
),

-- In which months each counts as what. Lost: twelve months after a month of the earlier period, in the gap behind the later one.
-- Reactivated: twelve months after a month of the gap behind the earlier period, in the later one. `known` fills months without anybody.
unfolded AS (
    SELECT
        acquisition_channel,
        acquisition_year,
        segment,
        customers,
        last_month,
        unnest(CASE
            WHEN is_same
                THEN make_array(
                    named_struct('kind', 'known', 'from_month', from_month, 'to_month', last_month),
                    named_struct('kind', 'opening', 'from_month', from_month + 12, 'to_month', to_month + 12),
                    named_struct('kind', 'closing', 'from_month', from_month, 'to_month', to_month),
                    named_struct('kind', 'new', 'from_month', from_month, 'to_month', least(to_month, first_month + 11)),
                    named_struct('kind', 'lapsed', 'from_month', to_month + 1, 'to_month', CASE WHEN is_lapsed THEN to_month + 12 ELSE to_month END),
                    named_struct(
                        'kind', 'lost', 'from_month', greatest(from_month + 12, to_month + 1), 'to_month', least(to_month + 12, next_month - 1)
                    )
                )
            ELSE make_array(
                named_struct(
                    'kind', 'lost', 'from_month', greatest(from_month + 12, later_to + 1), 'to_month', least(to_month + 12, later_next - 1)
                ),
                named_struct(
                    'kind', 'reactivated', 'from_month', greatest(to_month + 13, later_from), 'to_month', least(next_month + 11, later_to)
                )
            )
        END) AS span
    FROM pairs
),

spans AS (
    SELECT
        acquisition_channel,
        acquisition_year,
        segment,
        span['kind'] AS kind,
        span['from_month'] AS from_month,
        least(span['to_month'], last_month) AS to_month,
        sum(customers) AS customers
    FROM unfolded
    WHERE span['from_month'] <= least(span['to_month'], last_month)
    GROUP BY acquisition_channel, acquisition_year, segment, span['kind'], span['from_month'], least(span['to_month'], last_month)
),

valued AS (
    SELECT
        kind,
        from_month,
        to_month,
        customers,
        unnest(make_array(
            named_struct('dimension', 'acquisition_channel', 'value', acquisition_channel),
            named_struct('dimension', 'acquisition_year', 'value', acquisition_year),
            named_struct('dimension', 'segment', 'value', segment)
        )) AS of_group
    FROM spans
),

grouped_spans AS (
    SELECT of_group['dimension'] AS dimension, of_group['value'] AS value, kind, from_month, to_month, sum(customers) AS customers
    FROM valued
    GROUP BY of_group['dimension'], of_group['value'], kind, from_month, to_month
),

spread AS (
    SELECT dimension, value, kind, customers, unnest(generate_series(from_month, to_month)) AS month_no
    FROM grouped_spans
),

counted AS (
    SELECT
        dimension,
        value,
        month_no,
        coalesce(sum(customers) FILTER (WHERE kind = 'opening'), 0) AS opening,
        coalesce(sum(customers) FILTER (WHERE kind = 'lost'), 0) AS lost,
        coalesce(sum(customers) FILTER (WHERE kind = 'new'), 0) AS new,
        coalesce(sum(customers) FILTER (WHERE kind = 'reactivated'), 0) AS reactivated,
        coalesce(sum(customers) FILTER (WHERE kind = 'closing'), 0) AS closing,
        coalesce(sum(customers) FILTER (WHERE kind = 'lapsed'), 0) AS lapsed
    FROM spread
    GROUP BY dimension, value, month_no
),

bridged AS (
    SELECT
        counted.dimension,
        counted.value,
        counted.month_no,
        bounds.data_through_date,
        counted.month_no - bounds.first_month >= 12 AS has_history,
        counted.opening,
        counted.lost,
        counted.new,
        counted.reactivated,
        counted.closing,
        counted.lapsed
    FROM counted
    CROSS JOIN bounds
),

averaged AS (
    SELECT
        dimension,
        value,
        month_no,
        data_through_date,
        has_history,
        opening,
        lost,
        new,
        reactivated,
        closing,
        lapsed,
        (CAST(sum(closing) OVER (PARTITION BY dimension, value ORDER BY month_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS DOUBLE)
            + (CAST(opening AS DOUBLE) - CAST(closing AS DOUBLE)) / 2) / 12 AS average,
        CAST(sum(closing) OVER (PARTITION BY dimension, value ORDER BY month_no ROWS BETWEEN 11 PRECEDING AND CURRENT ROW) AS DOUBLE) / 12 AS month_ends_average
    FROM bridged
)

SELECT
    CAST(
        make_date(CAST((month_no + 1) / 12 AS INT), CAST((month_no + 1) % 12 + 1 AS INT), 1) - INTERVAL '1 day' AS DATE
    ) AS month_end,
    dimension,
    value,
    CASE WHEN has_history THEN opening END AS customers_opening,
    CASE WHEN has_history THEN lost END AS customers_lost,
    CASE WHEN has_history THEN new END AS customers_new,
    CASE WHEN has_history THEN reactivated END AS customers_reactivated,
    closing AS customers_closing,
    CASE WHEN has_history THEN lapsed END AS customers_lapsed,
    CASE WHEN has_history THEN average END AS customers_average,
    CASE WHEN has_history THEN lost / nullif(average, 0) END AS churn_rate,
    CASE WHEN has_history THEN CAST(lost AS DOUBLE) / nullif(opening, 0) END AS churn_rate_opening,
    CASE WHEN has_history THEN 2 * CAST(lost AS DOUBLE) / nullif(opening + closing, 0) END AS churn_rate_open_close,
    CASE WHEN has_history THEN lost / nullif(month_ends_average, 0) END AS churn_rate_month_ends,
    CASE
        WHEN NOT has_history THEN 'not observable yet: fewer than twelve months since the first order'
        WHEN average = 0 THEN 'no customers in these twelve months'
        WHEN lost > average
            THEN 'above 1: more were lost than there were on average, because a young base shrank before it grew; read churn_rate_opening'
    END AS rate_note,
    CAST(setting('churn_window_days', 365) AS INT) AS churn_window_days,
    data_through_date
FROM averaged
