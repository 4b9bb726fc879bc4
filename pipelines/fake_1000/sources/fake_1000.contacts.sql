-- name: fake_1000.contacts
-- grain: one row per record of the data set
-- description: Columns of the file: unique_id, cluster (the truth, which is never read here), first_name, surname, dob (ISO text), city,
--   email.
SELECT
  unique_id AS record_id,
  first_name AS given_name,
  surname AS family_name,
  parse_date(dob, 'yyyy-mm-dd') AS birth_date,
  city,
  email
FROM raw
