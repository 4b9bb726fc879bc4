-- name: survey.interactions
-- grain: one row per answer
-- description: Answers to "would you recommend us", 0 to 10, written like `9 – sehr wahrscheinlich`.
SELECT
  "Respondent ID" AS interaction_id,
  parse_timestamp("End Date", 'mm/dd/yyyy hh:mi:ss', 'Europe/Berlin') AS occurred_at,
  normalize_email("Email Address") AS email,
  'survey' AS kind,
  'web' AS channel,
  parse_decimal(split_part("Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?", ' ', 1), 'en') AS score,
  'nps' AS scale
FROM raw
