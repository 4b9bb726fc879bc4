-- name: subscription_changes_grain
-- description: One row a customer and month, and one first payment a customer.
SELECT customer_key
FROM subscription_changes
GROUP BY customer_key
HAVING count(*) <> count(DISTINCT month_end) OR count(*) FILTER (WHERE category = 'new') <> 1
