-- name: customer_segments_scores
-- description: Scores run from 1 to 5, and exactly the customers without an order are prospects.
SELECT customer_key
FROM customer_segments
WHERE rfm_recency NOT BETWEEN 1 AND 5 OR rfm_frequency NOT BETWEEN 1 AND 5 OR rfm_monetary NOT BETWEEN 1 AND 5
    OR (orders_count = 0) <> (segment = 'prospects')
    OR (orders_count = 0) <> (rfm_score IS NULL)
