-- name: order_facts_amounts
-- description: Amounts of an order add up, no gross or refund is negative, what excludes an order excludes it, and no sale of somebody
--   who is no customer is worth anything.
SELECT source, order_id
FROM order_facts
WHERE gross < 0 OR refunded < 0 OR shipping_income < 0
    OR net_revenue <> gross - refunded
    OR net_revenue_without_tax <> net_revenue - tax
    OR contribution <> contribution_at_order + contribution_at_refund
    OR contribution
    <> net_revenue_without_tax + shipping_income - coalesce(cost, 0) - shipping_cost - payment_fee - return_cost
    OR (is_order AND excluded_because IS NOT NULL)
    OR (is_order AND gross = 0 AND NOT setting('count_free_orders', FALSE) AND charged <> 0 AND abs(charged * exchange_rate) >= 0.0001)
    OR (excluded_because IN ('cancelled', 'test', 'staff', 'business') AND (gross <> 0 OR refunded <> 0 OR contribution <> 0))
    OR order_date > as_of() OR refund_date > as_of() OR exchange_rate_date > order_date
