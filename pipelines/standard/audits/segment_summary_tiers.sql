-- name: segment_summary_tiers
-- description: The tiers of a segment are its customers with an order, and prospects have none.
SELECT segment
FROM segment_summary
WHERE platinum_count + gold_count + silver_count + bronze_count <> CASE segment WHEN 'prospects' THEN 0 ELSE customers_count END
