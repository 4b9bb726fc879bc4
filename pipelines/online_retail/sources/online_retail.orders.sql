-- name: online_retail.orders
-- grain: one row per invoice of a known customer
-- unit: GBP
-- description: An invoice counts by its lines of positive quantity and price. A cancellation is an invoice of its own, number `C…`, with
--   negative quantities: it becomes a credit note (negative gross), which models book as a refund of its day and not as an order. The
--   file does not say which invoice it cancels. Times are local and without a zone: they are taken as they stand.
SELECT
    "InvoiceNo" AS order_id,
    CAST(CAST(min("CustomerID") AS BIGINT) AS VARCHAR) AS contact_record_id,
    min("InvoiceDate") AS ordered_at,
    CASE WHEN "InvoiceNo" LIKE 'C%' THEN 'credit_note' ELSE 'invoiced' END AS status,
    'GBP' AS currency,
    CAST(sum(CAST("Quantity" AS DECIMAL(18, 4)) * CAST("UnitPrice" AS DECIMAL(18, 4))) AS DECIMAL(18, 4)) AS gross
FROM raw
WHERE "CustomerID" IS NOT NULL AND "UnitPrice" > 0 AND ("Quantity" > 0 OR "InvoiceNo" LIKE 'C%')
GROUP BY "InvoiceNo"
