drop schema scores cascade;
