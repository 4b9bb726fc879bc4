-- name: customer_dates_near
-- description: Birthdays and anniversaries lie within the next year, and each customer stands once.
SELECT customer_key
FROM customer_dates
GROUP BY customer_key
HAVING count(*) <> 1
    OR min(days_until_birthday) < 0 OR max(days_until_birthday) > 366
    OR min(days_until_anniversary) < 0 OR max(days_until_anniversary) > 366
    OR min(birthday_age) < 0
    OR min(anniversary_years) < 1
