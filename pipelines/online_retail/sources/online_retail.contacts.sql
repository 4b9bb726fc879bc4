-- name: online_retail.contacts
-- grain: one row per customer number
-- description: The file knows people by their number and country alone. 8 customers have invoices of more than one country: the
--   country of the latest invoice counts.
WITH numbered AS (
    SELECT
        CAST(CAST("CustomerID" AS BIGINT) AS VARCHAR) AS customer_no,
        "Country" AS country,
        "InvoiceDate" AS invoiced_at
    FROM raw
    WHERE "CustomerID" IS NOT NULL
),

ranked AS (
    SELECT
        customer_no,
        country,
        row_number() OVER (PARTITION BY customer_no ORDER BY invoiced_at DESC, country) AS position,
        min(invoiced_at) OVER (PARTITION BY customer_no) AS created_at,
        max(invoiced_at) OVER (PARTITION BY customer_no) AS updated_at
    FROM numbered
)

SELECT customer_no AS record_id, customer_no, country, created_at, updated_at
FROM ranked
WHERE position = 1
