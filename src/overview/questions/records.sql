-- name: records
-- reads: contacts.source, orders.source, order_lines.source, events.source, interactions.source
-- description: Rows kept, by source and record.
SELECT source, 'contacts' AS record, count(*) AS rows_count FROM contacts GROUP BY source
UNION ALL
SELECT source, 'orders' AS record, count(*) AS rows_count FROM orders GROUP BY source
UNION ALL
SELECT source, 'order_lines' AS record, count(*) AS rows_count FROM order_lines GROUP BY source
UNION ALL
SELECT source, 'events' AS record, count(*) AS rows_count FROM events GROUP BY source
UNION ALL
SELECT source, 'interactions' AS record, count(*) AS rows_count FROM interactions GROUP BY source
ORDER BY source, record
