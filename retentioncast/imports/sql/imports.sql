-- Writing an import as the shop itself would: staged by COPY, put into event-time order, then placed piece by piece.
-- An import is recognised by its mark, which stands in the e-mail addresses of its customers.

-- name: hold_mark  two imports of the same rows at once would not see each other
select pg_try_advisory_lock(hashtextextended('retentioncast import ' || %(mark)s, 0));

-- name: count_placed  what the shop already has of this import
select count(distinct c.customer_id), count(t.transaction_id)
from shop.customers c
left join shop.transactions t on t.customer_id = c.customer_id and t.kind = 'purchase'
where c.channel = 'import' and c.email like '%%@' || %(mark)s || '.import.invalid';

-- name: make_staging
create temporary table staged (
    row_number      bigint not null,
    source_customer text collate "C" not null,
    occurred_at     timestamptz not null,
    amount          numeric(12, 2) not null
);

-- name: stage
copy staged from stdin;

-- name: order_purchases  event time decides; rows of one instant keep the order of the file
create temporary table ordered as
select row_number() over (order by occurred_at, row_number) as position, source_customer, occurred_at, amount
from staged;

-- name: index_purchases
alter table ordered add primary key (position);

-- name: gather_customers  a customer begins with the first purchase
create temporary table importing as
select source_customer, min(occurred_at) as created_at, min(position) as first_position, null::bigint as customer_id
from ordered
group by source_customer;

-- name: index_customers
alter table importing add primary key (source_customer);

-- name: analyze_staging
analyze ordered, importing;

-- name: summarize
select (select count(*) from ordered),
       (select count(*) from importing),
       (select min(occurred_at) from ordered),
       (select max(occurred_at) from ordered);

-- name: lock_customers  nobody draws or inserts a customer's id while it is decided which are free
lock table shop.customers in share row exclusive mode;

-- name: numeric_ids  the smallest id if every customer of the source has a number that can be an id, else null
select case when bool_and(source_customer ~ '^[1-9][0-9]{0,14}$')
            then min(case when source_customer ~ '^[1-9][0-9]{0,14}$' then source_customer::bigint end) end
from importing;

-- name: ids_taken  ids up to the sequence's last may have been drawn by someone who has yet to insert them
select %(smallest)s <= coalesce(pg_sequence_last_value(pg_get_serial_sequence('shop.customers', 'customer_id')::regclass), 0)
    or exists (select from shop.customers c join importing i on c.customer_id::text = i.source_customer);

-- name: keep_ids
update importing set customer_id = source_customer::bigint;

-- name: advance_ids  so that the next customer of the shop comes after all of these
select setval(pg_get_serial_sequence('shop.customers', 'customer_id'), (select max(customer_id) from importing));

-- name: draw_ids  in the order in which the customers first bought
update importing
set customer_id = drawn.customer_id
from (
    select source_customer, nextval(pg_get_serial_sequence('shop.customers', 'customer_id')) as customer_id
    from (select source_customer from importing order by first_position) as first_come
) as drawn
where drawn.source_customer = importing.source_customer;

-- name: index_first_positions
create index on importing (first_position);

-- name: place_customers
insert into shop.customers (customer_id, name, email, country, channel, created_at)
select customer_id,
       'Customer ' || source_customer,
       'customer-' || customer_id || '@' || %(mark)s || '.import.invalid',
       'ZZ',
       'import',
       created_at
from importing
where first_position between %(from)s and %(to)s
order by first_position;

-- name: place_purchases
insert into shop.transactions (customer_id, kind, amount, occurred_at)
select i.customer_id, 'purchase', o.amount, o.occurred_at
from ordered o
join importing i using (source_customer)
where o.position between %(from)s and %(to)s
order by o.position;

-- name: reached  the last position of the next piece whose time has come, and when the row after it is due
select (select coalesce(max(position), %(done)s) from ordered
        where position > %(done)s and position <= %(done)s + %(piece)s and occurred_at <= %(time)s),
       (select occurred_at from ordered where position = %(done)s + 1);
