What the benchmark of Debezium's rate writes.

-- name: copy
copy shop.transactions (transaction_id, customer_id, kind, amount, currency, occurred_at, promotion) from stdin

-- name: rows
select format(E'%%s\t%%s\tpurchase\t%%s\tUSD\t%%s\t\\N\n', number, number %% %(customers)s + 1,
              (number %% 10000) / 100.0, timestamptz '2025-01-01 00:00:00Z' + number * interval '1 second')
from generate_series(%(first)s::bigint, %(last)s::bigint) as number
