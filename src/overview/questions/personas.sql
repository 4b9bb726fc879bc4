-- name: personas
-- reads: personas.persona_id, personas.persona_label, personas.customers_count, personas.customers_share, personas.avg_days_since_last_order, personas.avg_orders_count, personas.avg_order_value
-- description: Groups of customers who behave alike.
SELECT persona_id, persona_label, customers_count, customers_share, avg_days_since_last_order, avg_orders_count, avg_order_value
FROM personas
ORDER BY persona_id
LIMIT 20
