-- name: customer_dates
-- grain: one row per customer with a birth date or an order
-- description: The next occasions to write to somebody: birthday and anniversary of the first order, the as-of day included. Who was born
--   on a 29 February, or bought first on one, has the day on 28 February in years without it. Birth dates after the as-of day or more than
--   120 years before it are taken for mistakes and give no birthday. A birth date is personal: see `is_activatable_...` of
--   `customer_segments` before anybody is written to.
-- columns:
--   customer_key: The customer.
--   as_of_date [date]: The as-of day.
--   next_birthday_date [date]: Next birthday, today's included; null where no birth date is known.
--   days_until_birthday [days]: Days until then, 0 on the day.
--   birthday_age [years]: Age reached on it.
--   next_anniversary_date [date]: Next anniversary of the first order, at the earliest a year after it; null without an order.
--   days_until_anniversary [days]: Days until then, 0 on the day.
--   anniversary_years [years]: Years since the first order, on that day.
WITH known AS (
    SELECT
        customers.customer_key,
        CASE WHEN customers.birth_date <= as_of() AND customers.birth_date > as_of() - INTERVAL '120' YEAR THEN customers.birth_date END AS birth_date,
        customer_orders.first_order_date
    FROM customers
    LEFT JOIN customer_orders ON customer_orders.customer_key = customers.customer_key
),

parts AS (
    SELECT
        customer_key,
        birth_date,
        first_order_date,
        CAST(date_part('year', as_of()) AS INT) AS this_year,
        date_part('day', date_trunc('year', as_of()) + INTERVAL '2' MONTH - INTERVAL '1' DAY) = 29 AS this_is_leap,
        date_part('day', date_trunc('year', as_of()) + INTERVAL '14' MONTH - INTERVAL '1' DAY) = 29 AS next_is_leap,
        CAST(date_part('year', birth_date) AS INT) AS birth_year,
        CAST(date_part('month', birth_date) AS INT) AS birth_month,
        CAST(date_part('day', birth_date) AS INT) AS birth_day,
        CAST(date_part('year', first_order_date) AS INT) AS order_year,
        CAST(date_part('month', first_order_date) AS INT) AS order_month,
        CAST(date_part('day', first_order_date) AS INT) AS order_day
    FROM known
    WHERE birth_date IS NOT NULL OR first_order_date IS NOT NULL
),

-- Each day in the year of the as-of day and in the next one; a 29 February in a year without it is the 28th.
candidates AS (
    SELECT
        customer_key,
        birth_date,
        first_order_date,
        this_year,
        birth_year,
        order_year,
        make_date(
            this_year,
            birth_month,
            CASE WHEN birth_month = 2 AND birth_day = 29 AND NOT this_is_leap THEN 28 ELSE birth_day END
        ) AS birthday_this,
        make_date(
            this_year + 1,
            birth_month,
            CASE WHEN birth_month = 2 AND birth_day = 29 AND NOT next_is_leap THEN 28 ELSE birth_day END
        ) AS birthday_next,
        make_date(
            this_year,
            order_month,
            CASE WHEN order_month = 2 AND order_day = 29 AND NOT this_is_leap THEN 28 ELSE order_day END
        ) AS anniversary_this,
        make_date(
            this_year + 1,
            order_month,
            CASE WHEN order_month = 2 AND order_day = 29 AND NOT next_is_leap THEN 28 ELSE order_day END
        ) AS anniversary_next
    FROM parts
),

final AS (
    SELECT
        customer_key,
        birth_year,
        order_year,
        CASE WHEN birthday_this >= as_of() THEN birthday_this ELSE birthday_next END AS next_birthday_date,
        CASE WHEN anniversary_this >= as_of() AND order_year < this_year THEN anniversary_this ELSE anniversary_next END AS next_anniversary_date
    FROM candidates
)

SELECT
    customer_key,
    as_of() AS as_of_date,
    next_birthday_date,
    CAST(next_birthday_date AS INT) - CAST(as_of() AS INT) AS days_until_birthday,
    CAST(date_part('year', next_birthday_date) AS INT) - birth_year AS birthday_age,
    next_anniversary_date,
    CAST(next_anniversary_date AS INT) - CAST(as_of() AS INT) AS days_until_anniversary,
    CAST(date_part('year', next_anniversary_date) AS INT) - order_year AS anniversary_years
FROM final
