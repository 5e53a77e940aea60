-- In which physical tables (by storage id) records of a table stand or once stood: a base whose table keeps records of
-- tables that are not of its kind, in some version, has to tell its own from them there.
alter table bm.member add column homes bigint[] not null default '{}';
update bm.member set homes = array[case when meaning like 'kind %' then split_part(meaning, ' ', 2)::bigint else id end]
 where meaning = 'table' or meaning like 'kind %';
