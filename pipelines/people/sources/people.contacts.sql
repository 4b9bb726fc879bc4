-- name: people.contacts
-- grain: one row per record of the data set
-- description: Columns of the file: rec_id, source, given_name, surname, dob (ISO text), email, phone, street, postcode, city, country,
--   and cluster, the truth, which is never read here.
SELECT
  CAST(rec_id AS VARCHAR) AS record_id,
  given_name,
  surname AS family_name,
  email,
  phone,
  parse_date(dob, 'yyyy-mm-dd') AS birth_date,
  street,
  postcode,
  city,
  country
FROM raw
