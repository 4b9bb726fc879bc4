-- name: customer_segments_past
-- description: A previous segment is another one, is there exactly with a day since which, and that day lies within the last year.
SELECT customer_key
FROM customer_segments
WHERE previous_segment = segment
    OR (previous_segment IS NULL) <> (segment_since IS NULL)
    OR segment_since > as_of_date
    OR segment_since < as_of_date - INTERVAL '366' DAY
