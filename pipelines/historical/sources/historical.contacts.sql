-- name: historical.contacts
-- grain: one row per record of the data set
-- description: Columns of the file: unique_id, cluster (the truth, which is never read here), full_name, first_and_surname, first_name,
--   surname, dob (ISO text), birth_place, postcode_fake, gender, occupation. The place of birth stands in for the town, and the
--   occupation for the company: both are weak evidence of the same kind.
SELECT
  unique_id AS record_id,
  first_name AS given_name,
  surname AS family_name,
  parse_date(dob, 'yyyy-mm-dd') AS birth_date,
  gender,
  postcode_fake AS postcode,
  birth_place AS city,
  occupation AS company,
  -- Nobody alive was born before about 1900, so birth dates of an unknown record time would be taken for mistakes. With the day of birth
  -- as the time of the record they are kept.
  parse_timestamp(dob, 'yyyy-mm-dd', 'UTC') AS updated_at
FROM raw
