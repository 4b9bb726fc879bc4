-- name: customer_churn_grain
-- description: `customer_churn` has each customer exactly once.
SELECT customers.customer_key, count(customer_churn.customer_key) AS rows_count
FROM customers
FULL JOIN customer_churn ON customer_churn.customer_key = customers.customer_key
GROUP BY customers.customer_key
HAVING count(customer_churn.customer_key) <> 1 OR customers.customer_key IS NULL
