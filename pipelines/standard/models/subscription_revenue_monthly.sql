-- name: subscription_revenue_monthly
-- grain: one row per complete calendar month from the first subscription to the as-of day
-- unit: customers and reporting currency a month; rates from 0, net retention also above 1
-- description: Contractual churn: the bridges of paying customers and of monthly recurring revenue, and the rates that follow.
--   closing = opening + new + reactivation - churn for customers; closing = opening + new + reactivation + expansion - contraction - churn
--   for revenue. Monthly rates divide by the opening of the month. The twelve-month retentions follow the customers who paid twelve months
--   before: net counts all they pay now, gross no more than they paid then. Neither counts who was not there. Null where there is no opening.
-- columns:
--   month_end [date]: Last day of the month.
--   customers_opening [customers]: Paying at the end of the month before.
--   customers_new [customers]: Paying for the first time.
--   customers_reactivated [customers]: Paying again.
--   customers_churned [customers]: Paying no more; the month after the last one paid.
--   customers_closing [customers]: Paying at the end of the month.
--   customers_expanded [customers]: Staying and paying more.
--   customers_contracted [customers]: Staying and paying less.
--   revenue_opening [reporting currency]: Monthly recurring revenue at the end of the month before.
--   revenue_new [reporting currency]: Of new customers.
--   revenue_reactivation [reporting currency]: Of customers who came back.
--   revenue_expansion [reporting currency]: More from customers who stayed.
--   revenue_contraction [reporting currency]: Less from customers who stayed; not below 0.
--   revenue_churn [reporting currency]: What churned customers paid; not below 0.
--   revenue_closing [reporting currency]: Monthly recurring revenue at the end of the month.
--   logo_churn_rate [share]: Churned customers / opening customers.
--   revenue_churn_rate_gross [share]: (Churn + contraction) / opening revenue.
--   revenue_churn_rate_net [share]: (Churn + contraction - expansion) / opening revenue; below 0 where expansion outweighs.
--   gross_revenue_retention [share]: 1 - gross churn rate.
--   net_revenue_retention [share]: 1 - net churn rate; above 1 where expansion outweighs.
--   customers_opening_12m [customers]: Paying twelve months before; null in the first twelve months.
--   customers_churned_12m [customers]: Of these, not paying now.
--   logo_churn_rate_12m [share]: Churned in twelve months / chronological mean of paying customers at the 13 month ends, first and last by half,
--     as in `churn_rate_monthly`; above 1 where a young base shrinks faster than its mean.
--   gross_revenue_retention_12m [share]: Revenue now of those who paid then, each at most what they paid then, / revenue then.
--   net_revenue_retention_12m [share]: Revenue now of those who paid then / revenue then.
--   currency_code: Reporting currency, ISO 4217.
WITH changes AS (
    SELECT
        customer_key,
        CAST(date_part('year', month_end) * 12 + date_part('month', month_end) - 1 AS BIGINT) AS month_no,
        category,
        monthly_revenue_change
    FROM subscription_changes
),

last_month AS (
    SELECT
        CAST(date_part('year', as_of() + INTERVAL '1 day') * 12 + date_part('month', as_of() + INTERVAL '1 day') - 2 AS BIGINT) AS month_no
),

months AS (
    SELECT first_month, unnest(generate_series(first_month, month_no)) AS month_no
    FROM (SELECT min(month_no) AS first_month FROM changes) AS first_change
    CROSS JOIN last_month
    WHERE first_month <= month_no
),

monthly AS (
    SELECT
        month_no,
        count(*) FILTER (WHERE category = 'new') AS customers_new,
        count(*) FILTER (WHERE category = 'reactivation') AS customers_reactivated,
        count(*) FILTER (WHERE category = 'churn') AS customers_churned,
        count(*) FILTER (WHERE category = 'expansion') AS customers_expanded,
        count(*) FILTER (WHERE category = 'contraction') AS customers_contracted,
        coalesce(sum(monthly_revenue_change) FILTER (WHERE category = 'new'), 0) AS revenue_new,
        coalesce(sum(monthly_revenue_change) FILTER (WHERE category = 'reactivation'), 0) AS revenue_reactivation,
        coalesce(sum(monthly_revenue_change) FILTER (WHERE category = 'expansion'), 0) AS revenue_expansion,
        -coalesce(sum(monthly_revenue_change) FILTER (WHERE category = 'contraction'), 0) AS revenue_contraction,
        -coalesce(sum(monthly_revenue_change) FILTER (WHERE category = 'churn'), 0) AS revenue_churn
    FROM changes
    GROUP BY month_no
),

-- What each customer pays now and paid twelve months before: both move by changes alone, the second twelve months later.
moves AS (
    SELECT customer_key, month_no, monthly_revenue_change AS now_change, 0 AS then_change
    FROM changes
    UNION ALL
    SELECT customer_key, month_no + 12 AS month_no, 0 AS now_change, monthly_revenue_change AS then_change
    FROM changes
),

netted AS (
    SELECT customer_key, month_no, sum(now_change) AS now_change, sum(then_change) AS then_change
    FROM moves
    GROUP BY customer_key, month_no
),

standing AS (
    SELECT
        customer_key,
        month_no,
        now_change,
        then_change,
        sum(now_change) OVER (PARTITION BY customer_key ORDER BY month_no) AS now_paid,
        sum(then_change) OVER (PARTITION BY customer_key ORDER BY month_no) AS then_paid
    FROM netted
),

-- By how much a customer's part in each figure changes in the month.
parts AS (
    SELECT
        month_no,
        then_change,
        CAST(then_paid > 0 AS INT) - CAST(then_paid - then_change > 0 AS INT) AS opening_12m,
        CAST(then_paid > 0 AND now_paid = 0 AS INT)
            - CAST(then_paid - then_change > 0 AND now_paid - now_change = 0 AS INT) AS churned_12m,
        least(now_paid, then_paid) - least(now_paid - now_change, then_paid - then_change) AS gross_12m,
        CASE WHEN then_paid > 0 THEN now_paid ELSE 0 END
            - CASE WHEN then_paid - then_change > 0 THEN now_paid - now_change ELSE 0 END AS net_12m
    FROM standing
),

parts_monthly AS (
    SELECT
        month_no,
        sum(then_change) AS then_revenue,
        sum(opening_12m) AS opening_12m,
        sum(churned_12m) AS churned_12m,
        sum(gross_12m) AS gross_12m,
        sum(net_12m) AS net_12m
    FROM parts
    GROUP BY month_no
),

filled AS (
    SELECT
        months.month_no,
        months.month_no - months.first_month >= 12 AS has_history,
        coalesce(monthly.customers_new, 0) AS customers_new,
        coalesce(monthly.customers_reactivated, 0) AS customers_reactivated,
        coalesce(monthly.customers_churned, 0) AS customers_churned,
        coalesce(monthly.customers_expanded, 0) AS customers_expanded,
        coalesce(monthly.customers_contracted, 0) AS customers_contracted,
        coalesce(monthly.revenue_new, 0) AS revenue_new,
        coalesce(monthly.revenue_reactivation, 0) AS revenue_reactivation,
        coalesce(monthly.revenue_expansion, 0) AS revenue_expansion,
        coalesce(monthly.revenue_contraction, 0) AS revenue_contraction,
        coalesce(monthly.revenue_churn, 0) AS revenue_churn,
        coalesce(parts_monthly.then_revenue, 0) AS then_revenue,
        coalesce(parts_monthly.opening_12m, 0) AS opening_12m,
        coalesce(parts_monthly.churned_12m, 0) AS churned_12m,
        coalesce(parts_monthly.gross_12m, 0) AS gross_12m,
        coalesce(parts_monthly.net_12m, 0) AS net_12m
    FROM months
    LEFT JOIN monthly ON monthly.month_no = months.month_no
    LEFT JOIN parts_monthly ON parts_monthly.month_no = months.month_no
),

summed AS (
    SELECT
        month_no,
        has_history,
        customers_new,
        customers_reactivated,
        customers_churned,
        customers_expanded,
        customers_contracted,
        revenue_new,
        revenue_reactivation,
        revenue_expansion,
        revenue_contraction,
        revenue_churn,
        sum(customers_new + customers_reactivated - customers_churned) OVER (ORDER BY month_no) AS customers_closing,
        sum(revenue_new + revenue_reactivation + revenue_expansion - revenue_contraction - revenue_churn) OVER (ORDER BY month_no)
            AS revenue_closing,
        CAST(sum(then_revenue) OVER (ORDER BY month_no) AS DOUBLE) AS then_revenue,
        sum(opening_12m) OVER (ORDER BY month_no) AS opening_12m,
        sum(churned_12m) OVER (ORDER BY month_no) AS churned_12m,
        CAST(sum(gross_12m) OVER (ORDER BY month_no) AS DOUBLE) AS gross_12m,
        CAST(sum(net_12m) OVER (ORDER BY month_no) AS DOUBLE) AS net_12m
    FROM filled
),

opened AS (
    SELECT
        month_no,
        has_history,
        customers_closing - customers_new - customers_reactivated + customers_churned AS customers_opening,
        customers_new,
        customers_reactivated,
        customers_churned,
        customers_closing,
        customers_expanded,
        customers_contracted,
        revenue_closing - revenue_new - revenue_reactivation - revenue_expansion + revenue_contraction + revenue_churn AS revenue_opening,
        revenue_new,
        revenue_reactivation,
        revenue_expansion,
        revenue_contraction,
        revenue_churn,
        revenue_closing,
        then_revenue,
        opening_12m,
        churned_12m,
        gross_12m,
        net_12m,
        (CAST(sum(customers_closing) OVER (ORDER BY month_no ROWS BETWEEN 12 PRECEDING AND CURRENT ROW) AS DOUBLE)
            - CAST(opening_12m + customers_closing AS DOUBLE) / 2) / 12 AS customers_average
    FROM summed
)

SELECT
    CAST(make_date(CAST((month_no + 1) / 12 AS INT), CAST((month_no + 1) % 12 + 1 AS INT), 1) - INTERVAL '1 day' AS DATE) AS month_end,
    customers_opening,
    customers_new,
    customers_reactivated,
    customers_churned,
    customers_closing,
    customers_expanded,
    customers_contracted,
    CAST(revenue_opening AS DECIMAL(18, 4)) AS revenue_opening,
    CAST(revenue_new AS DECIMAL(18, 4)) AS revenue_new,
    CAST(revenue_reactivation AS DECIMAL(18, 4)) AS revenue_reactivation,
    CAST(revenue_expansion AS DECIMAL(18, 4)) AS revenue_expansion,
    CAST(revenue_contraction AS DECIMAL(18, 4)) AS revenue_contraction,
    CAST(revenue_churn AS DECIMAL(18, 4)) AS revenue_churn,
    CAST(revenue_closing AS DECIMAL(18, 4)) AS revenue_closing,
    CAST(customers_churned AS DOUBLE) / nullif(customers_opening, 0) AS logo_churn_rate,
    CAST(revenue_churn + revenue_contraction AS DOUBLE) / nullif(CAST(revenue_opening AS DOUBLE), 0) AS revenue_churn_rate_gross,
    CAST(revenue_churn + revenue_contraction - revenue_expansion AS DOUBLE) / nullif(CAST(revenue_opening AS DOUBLE), 0)
        AS revenue_churn_rate_net,
    1 - CAST(revenue_churn + revenue_contraction AS DOUBLE) / nullif(CAST(revenue_opening AS DOUBLE), 0) AS gross_revenue_retention,
    1 - CAST(revenue_churn + revenue_contraction - revenue_expansion AS DOUBLE) / nullif(CAST(revenue_opening AS DOUBLE), 0)
        AS net_revenue_retention,
    CASE WHEN has_history THEN opening_12m END AS customers_opening_12m,
    CASE WHEN has_history THEN churned_12m END AS customers_churned_12m,
    CASE WHEN has_history THEN churned_12m / nullif(customers_average, 0) END AS logo_churn_rate_12m,
    CASE WHEN has_history AND opening_12m > 0 THEN gross_12m / nullif(then_revenue, 0) END AS gross_revenue_retention_12m,
    CASE WHEN has_history AND opening_12m > 0 THEN net_12m / nullif(then_revenue, 0) END AS net_revenue_retention_12m,
    setting('currency') AS currency_code
FROM opened
