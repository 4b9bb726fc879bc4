-- name: crm.contacts
-- grain: one row per customer of the CRM
-- description: A German CRM export: semicolons, Windows-1252, dates as dd.mm.yyyy, local times without an offset.
SELECT
  "Kundennr" AS record_id,
  "Kundennr" AS customer_no,
  "Vorname" AS given_name,
  "Nachname" AS family_name,
  normalize_email("E-Mail") AS email,
  normalize_phone("Telefon", 'DE') AS phone,
  parse_date("Geburtsdatum", 'dd.mm.yyyy') AS birth_date,
  "Straße" AS street,
  "PLZ" AS postcode,
  "Ort" AS city,
  CASE "Newsletter" WHEN 'ja' THEN true WHEN 'nein' THEN false END AS consent_email,
  parse_timestamp("Geändert am", 'dd.mm.yyyy hh:mi:ss', 'Europe/Berlin') AS updated_at
FROM raw
