-- name: segment_transitions_shares
-- description: Shares of the customers that leave a segment, and of those that arrive in one, sum to 1.
SELECT from_date, from_segment FROM segment_transitions GROUP BY from_date, from_segment HAVING abs(sum(from_share) - 1) > 1e-9
UNION ALL
SELECT month_end, to_segment FROM segment_transitions GROUP BY month_end, to_segment HAVING abs(sum(to_share) - 1) > 1e-9
