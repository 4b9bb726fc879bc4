-- name: customer_churn_values
-- description: Who has ordered has a forecast if there is a model, who has not has none; bands follow the probability.
SELECT customer_key
FROM customer_churn
WHERE (orders_count > 0 AND model_name IS NOT NULL) <> (p_no_purchase_12m IS NOT NULL)
    OR (p_no_purchase_90d IS NULL) <> (churn_risk_band IS NULL)
    OR churn_reason IS NULL
    OR churn_reason_text IS NULL
    OR (orders_count > 0) <> (model_status IS NOT NULL)
