-- name: customer_segments_cell
-- description: The segment of `customer_segment_paths` is the one that the scores of `customer_segments` give.
SELECT customer_key
FROM customer_segments
WHERE segment <> CASE
    WHEN rfm_score IS NULL THEN 'prospects'
    WHEN rfm_recency = 1 AND rfm_frequency = 1 THEN 'lost'
    WHEN rfm_recency <= 2 AND rfm_frequency <= 2 THEN 'hibernating'
    WHEN rfm_recency <= 2 AND rfm_frequency <= 4 THEN 'at_risk'
    WHEN rfm_recency <= 2 THEN 'cannot_lose_them'
    WHEN rfm_recency = 3 AND rfm_frequency <= 2 THEN 'about_to_sleep'
    WHEN rfm_recency = 3 AND rfm_frequency = 3 THEN 'need_attention'
    WHEN rfm_recency = 5 AND rfm_frequency >= 4 THEN 'champions'
    WHEN rfm_frequency >= 4 THEN 'loyal_customers'
    WHEN rfm_recency = 4 AND rfm_frequency = 1 THEN 'promising'
    WHEN rfm_frequency = 1 THEN 'new_customers'
    ELSE 'potential_loyalists'
END
