-- name: cohort_retention
-- grain: one row per month of first order and months since
-- unit: customers and reporting currency; rates from 0 to 1
-- description: How many customers of each month of first order bought again in each calendar month after it (bracket retention: an
--   order in that month, not in it or later, and not within so many days). `month_number` counts from 0. Every cohort has a row for every
--   month up to the oldest cohort's age; what is not over by the as-of day is null, never 0. Refunds and their costs count in the month
--   of their order, contacts in their own month; both in month 0 if they come before the first order.
-- columns:
--   cohort_month [date]: First day of the month of the first order.
--   month_number [months]: Calendar months since, from 0.
--   cohort_size [customers]: Customers whose first order is in the cohort's month.
--   active_customers [customers]: Of these, with an order in the month; null while the month is not over.
--   retention_rate [share]: active_customers / cohort_size; null while the month is not over.
--   orders_count [orders]: Their orders in the month; null while the month is not over.
--   net_revenue [reporting currency]: Gross less refunds of their orders of the month, tax included; null while the month is not over.
--   contribution [reporting currency]: What these orders left after tax, goods, shipping, payment and returns, less cost to serve in the month;
--     null while the month is not over.
--   cumulative_net_revenue_per_customer [reporting currency]: Net revenue of this month and all before / cohort_size; null while it is not over.
--   cumulative_contribution_per_customer [reporting currency]: Contribution of this month and all before / cohort_size; null while it is not over.
WITH order_months AS (
    SELECT
        customer_key,
        is_order,
        CAST(date_part('year', order_date) * 12 + date_part('month', order_date) - 1 AS BIGINT) AS month_no,
        net_revenue,
        contribution
    FROM order_facts
    WHERE customer_key IS NOT NULL
),

members AS (
    SELECT
        customer_key,
        CAST(date_part('year', first_order_date) * 12 + date_part('month', first_order_date) - 1 AS BIGINT) AS cohort_no
    FROM purchase_histories
),

cohorts AS (
    SELECT cohort_no, count(*) AS cohort_size
    FROM members
    GROUP BY cohort_no
),

last_month AS (
    SELECT
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 2 AS BIGINT) AS month_no
),

ages AS (
    SELECT unnest(generate_series(0, month_no - first_no)) AS month_number
    FROM (SELECT min(cohort_no) AS first_no FROM cohorts) AS oldest
    CROSS JOIN last_month
    WHERE first_no <= month_no
),

cells AS (
    SELECT
        cohorts.cohort_no,
        cohorts.cohort_size,
        ages.month_number,
        cohorts.cohort_no + ages.month_number <= last_month.month_no AS is_over
    FROM cohorts
    CROSS JOIN ages
    CROSS JOIN last_month
),

-- One row a customer and month, so that nobody is counted twice.
customer_months AS (
    SELECT
        customer_key,
        month_no,
        bool_or(is_order) AS is_active,
        count(*) FILTER (WHERE is_order) AS orders_count,
        sum(net_revenue) AS net_revenue,
        sum(contribution) AS contribution
    FROM order_months
    GROUP BY customer_key, month_no
),

active AS (
    SELECT
        members.cohort_no,
        greatest(customer_months.month_no - members.cohort_no, 0) AS month_number,
        count(*) FILTER (WHERE customer_months.is_active) AS active_customers,
        sum(customer_months.orders_count) AS orders_count,
        sum(customer_months.net_revenue) AS net_revenue,
        sum(customer_months.contribution) AS contribution
    FROM customer_months
    INNER JOIN members ON members.customer_key = customer_months.customer_key
    GROUP BY members.cohort_no, greatest(customer_months.month_no - members.cohort_no, 0)
),

contacted AS (
    SELECT
        customer_key,
        CAST(date_part('year', contact_date) * 12 + date_part('month', contact_date) - 1 AS BIGINT) AS month_no,
        sum(cost) AS cost_to_serve
    FROM interaction_facts
    WHERE customer_key IS NOT NULL
    GROUP BY customer_key, date_part('year', contact_date) * 12 + date_part('month', contact_date) - 1
),

served AS (
    SELECT
        members.cohort_no,
        greatest(contacted.month_no - members.cohort_no, 0) AS month_number,
        sum(contacted.cost_to_serve) AS cost_to_serve
    FROM contacted
    INNER JOIN members ON members.customer_key = contacted.customer_key
    GROUP BY members.cohort_no, greatest(contacted.month_no - members.cohort_no, 0)
),

filled AS (
    SELECT
        cells.cohort_no,
        cells.cohort_size,
        cells.month_number,
        cells.is_over,
        coalesce(active.active_customers, 0) AS active_customers,
        coalesce(active.orders_count, 0) AS orders_count,
        CAST(coalesce(active.net_revenue, 0) AS DECIMAL(18, 4)) AS net_revenue,
        CAST(coalesce(active.contribution, 0) - coalesce(served.cost_to_serve, 0) AS DECIMAL(18, 4)) AS contribution
    FROM cells
    LEFT JOIN active ON active.cohort_no = cells.cohort_no AND active.month_number = cells.month_number
    LEFT JOIN served ON served.cohort_no = cells.cohort_no AND served.month_number = cells.month_number
),

cumulated AS (
    SELECT
        cohort_no,
        cohort_size,
        month_number,
        is_over,
        active_customers,
        orders_count,
        net_revenue,
        contribution,
        sum(net_revenue) OVER (PARTITION BY cohort_no ORDER BY month_number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            AS cumulative_net_revenue,
        sum(contribution) OVER (PARTITION BY cohort_no ORDER BY month_number ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
            AS cumulative_contribution
    FROM filled
)

SELECT
    make_date(CAST(cohort_no / 12 AS INT), CAST(cohort_no % 12 + 1 AS INT), 1) AS cohort_month,
    month_number,
    cohort_size,
    CASE WHEN is_over THEN active_customers END AS active_customers,
    CASE WHEN is_over THEN CAST(active_customers AS DOUBLE) / cohort_size END AS retention_rate,
    CASE WHEN is_over THEN orders_count END AS orders_count,
    CASE WHEN is_over THEN net_revenue END AS net_revenue,
    CASE WHEN is_over THEN contribution END AS contribution,
    CASE WHEN is_over THEN CAST(cumulative_net_revenue / cohort_size AS DECIMAL(18, 4)) END AS cumulative_net_revenue_per_customer,
    CASE WHEN is_over THEN CAST(cumulative_contribution / cohort_size AS DECIMAL(18, 4)) END AS cumulative_contribution_per_customer
FROM cumulated
