-- name: crm.contacts
-- grain: one row per customer number of the CRM
-- description: Contacts of the CRM. Days without a time are cut in the CRM's zone.
SELECT
  "KundenNr" AS record_id,
  "KundenNr" AS customer_no,
  "Vorname" AS given_name,
  "Nachname" AS family_name,
  "Anrede" AS gender,
  "Firma" AS company,
  "Strasse" AS street,
  "Hausnummer" AS house_number,
  "PLZ" AS postcode,
  "Ort" AS city,
  "Land" AS country,
  "Telefon" AS phone,
  "E-Mail" AS email,
  parse_date("Geburtsdatum", 'dd.mm.yyyy') AS birth_date,
  parse_boolean("Werbung erlaubt") AS consent_email,
  parse_timestamp("Angelegt am", 'dd.mm.yyyy', 'Europe/Berlin') AS created_at,
  parse_timestamp("Geändert am", 'dd.mm.yyyy', 'Europe/Berlin') AS updated_at
FROM raw
