drop schema truth cascade;
