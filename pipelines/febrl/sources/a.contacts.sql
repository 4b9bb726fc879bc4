-- name: a.contacts
-- grain: one row per record of the data set
-- description: Columns of the file: rec_id (holds the truth, which is never read: it is an id here), given_name, surname, street_number,
--   address_1, address_2, suburb, postcode, state, date_of_birth (yyyymmdd), soc_sec_id. The social security number is an identifier: equal
--   numbers are one person. A tenth of the duplicates has a mistake in it; those are found by name, birthday and address alone.
SELECT
  rec_id AS record_id,
  given_name,
  surname AS family_name,
  parse_date(date_of_birth, 'yyyymmdd') AS birth_date,
  address_1 AS street,
  street_number AS house_number,
  postcode,
  suburb AS city,
  state AS region,
  soc_sec_id AS customer_no
FROM raw
