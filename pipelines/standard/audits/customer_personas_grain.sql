-- name: customer_personas_grain
-- description: `customer_personas` has each customer with an order exactly once, with a persona that `persona_fit` knows.
WITH buyers AS (
    SELECT customer_key FROM customer_orders WHERE orders_count > 0
),

known AS (
    SELECT coalesce(max(persona_count), 0) AS persona_count FROM persona_fit
)

SELECT buyers.customer_key, count(customer_personas.customer_key) AS rows_count
FROM buyers
FULL JOIN customer_personas ON customer_personas.customer_key = buyers.customer_key
CROSS JOIN known
GROUP BY buyers.customer_key
HAVING count(customer_personas.customer_key) <> 1
    OR buyers.customer_key IS NULL
    OR min(persona_id) IS NULL
    OR min(persona_id) < 1
    OR max(persona_id) > max(persona_count)
