-- name: order_facts_amounts
-- description: Net revenue is gross less refunds, and neither is negative.
SELECT source, order_id
FROM order_facts
WHERE gross < 0 OR refunded < 0 OR net_revenue <> gross - refunded OR (is_order AND gross = 0)
