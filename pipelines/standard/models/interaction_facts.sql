-- name: interaction_facts
-- grain: one row per interaction up to the as-of day
-- unit: reporting currency
-- description: What each contact with a customer cost; the one place that decides it. Where the source does not say, the unit cost of the
--   kind holds: the settings `contact_cost_ticket`, `contact_cost_call`, `contact_cost_chat` (kind or channel), `contact_cost_survey`,
--   `contact_cost_mailing`, `contact_cost_return`, and `contact_cost_other` for any other kind; all 0. What a return costs stands either here
--   or at its order (`return_cost`), not at both.
-- columns:
--   customer_key: The customer; null where the contact is nobody's.
--   source: Source of the interaction.
--   interaction_id: Its id inside the source.
--   occurred_at: When it happened, UTC.
--   contact_date [date]: Its day in the project's time zone.
--   kind: ticket, call, chat, survey, return, mailing or another word of the source.
--   channel: email, phone, chat, web, store.
--   cost [reporting currency]: What it cost, by the source or else by the unit cost of its kind.
--   is_cost_estimated: Whether `cost` is a unit cost of the settings.
WITH dated AS (
    SELECT customer_key, source, interaction_id, occurred_at, local_date(occurred_at) AS contact_date, kind, channel, cost
    FROM interactions
    WHERE local_date(occurred_at) <= as_of()
)

SELECT
    customer_key,
    source,
    interaction_id,
    occurred_at,
    contact_date,
    kind,
    channel,
    CASE
        WHEN cost IS NOT NULL THEN cost
        WHEN kind = 'chat' OR channel = 'chat' THEN CAST(setting('contact_cost_chat', 0) AS DECIMAL(18, 4))
        WHEN kind = 'ticket' THEN CAST(setting('contact_cost_ticket', 0) AS DECIMAL(18, 4))
        WHEN kind = 'call' THEN CAST(setting('contact_cost_call', 0) AS DECIMAL(18, 4))
        WHEN kind = 'survey' THEN CAST(setting('contact_cost_survey', 0) AS DECIMAL(18, 4))
        WHEN kind = 'mailing' THEN CAST(setting('contact_cost_mailing', 0) AS DECIMAL(18, 4))
        WHEN kind = 'return' THEN CAST(setting('contact_cost_return', 0) AS DECIMAL(18, 4))
        ELSE CAST(setting('contact_cost_other', 0) AS DECIMAL(18, 4))
    END AS cost,
    cost IS NULL AS is_cost_estimated
FROM dated
