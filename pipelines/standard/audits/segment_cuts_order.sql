-- name: segment_cuts_order
-- description: Cut points of `segment_cuts` are there and ascend, also those of the settings.
SELECT observed_date
FROM segment_cuts
WHERE recency_cut_1 IS NULL OR recency_cut_4 IS NULL OR frequency_cut_1 IS NULL OR frequency_cut_4 IS NULL
    OR recency_cut_2 IS NULL OR recency_cut_3 IS NULL OR frequency_cut_2 IS NULL OR frequency_cut_3 IS NULL
    OR recency_cut_1 > recency_cut_2 OR recency_cut_2 > recency_cut_3 OR recency_cut_3 > recency_cut_4
    OR frequency_cut_1 > frequency_cut_2 OR frequency_cut_2 > frequency_cut_3 OR frequency_cut_3 > frequency_cut_4
    OR monetary_cut_1 > monetary_cut_2 OR monetary_cut_2 > monetary_cut_3 OR monetary_cut_3 > monetary_cut_4
    OR (is_as_of AND (monetary_cut_1 IS NULL OR monetary_cut_2 IS NULL OR monetary_cut_3 IS NULL OR monetary_cut_4 IS NULL))
