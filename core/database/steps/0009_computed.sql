-- Stored formulas that a promotion has not worked out in all records yet: until then nobody reads what is stored.

alter table sys.physical add column pending boolean not null default false;
