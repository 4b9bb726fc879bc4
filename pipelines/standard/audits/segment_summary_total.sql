-- name: segment_summary_total
-- description: The segments hold every customer and all net revenue.
WITH segments AS (
    SELECT coalesce(sum(customers_count), 0) AS customers_count, coalesce(sum(net_revenue), 0) AS net_revenue
    FROM segment_summary
),

customers_sum AS (
    SELECT count(*) AS customers_count, coalesce(sum(net_revenue), 0) AS net_revenue
    FROM customer_orders
)

SELECT segments.customers_count, customers_sum.customers_count AS expected_count
FROM segments
CROSS JOIN customers_sum
WHERE segments.customers_count <> customers_sum.customers_count OR segments.net_revenue <> customers_sum.net_revenue
