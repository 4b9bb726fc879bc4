-- name: interaction_facts_costs
-- description: Every contact up to the as-of day is there once, with a cost.
WITH given AS (
    SELECT count(*) AS contacts_count
    FROM interactions
    WHERE local_date(occurred_at) <= as_of()
),

kept AS (
    SELECT count(*) AS contacts_count, count(cost) AS costs_count
    FROM interaction_facts
)

SELECT given.contacts_count, kept.contacts_count AS kept_count, kept.costs_count
FROM given
CROSS JOIN kept
WHERE given.contacts_count <> kept.contacts_count OR kept.costs_count <> kept.contacts_count
