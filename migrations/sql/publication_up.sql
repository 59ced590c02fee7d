-- What Debezium may see. The heartbeat and the signals are in it because Debezium must receive its own.
create publication {publication} for table
    shop.customers, shop.subscriptions, shop.transactions, shop.sessions, shop.heartbeat, shop.debezium_signals;
