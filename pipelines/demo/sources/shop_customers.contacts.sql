-- name: shop_customers.contacts
-- grain: one row per customer account of the shop
-- description: Accounts of the shop. The tag `kdnr:12345` carries the CRM's number; apostrophes protect numbers from Excel.
SELECT
  strip_apostrophe("Customer ID") AS record_id,
  strip_apostrophe("Customer ID") AS user_id,
  nullif(trim(split_part(split_part("Tags", 'kdnr:', 2), ',', 1)), '') AS customer_no,
  "First Name" AS given_name,
  "Last Name" AS family_name,
  "Email" AS email,
  coalesce(strip_apostrophe("Phone"), strip_apostrophe("Default Address Phone")) AS phone,
  "Default Address Company" AS company,
  "Default Address Address1" AS street,
  strip_apostrophe("Default Address Zip") AS postcode,
  "Default Address City" AS city,
  "Default Address Country Code" AS country,
  parse_boolean("Accepts Email Marketing") AS consent_email,
  parse_boolean("Accepts SMS Marketing") AS consent_sms
FROM raw
