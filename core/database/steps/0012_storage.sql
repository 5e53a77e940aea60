-- Where values stand: a field keeps its identity when its values have to stand in other columns, and gets another
-- storage id. A version says it where the two differ; a member remembers its last one, for when it is parked.
alter table bm.version add column storage jsonb not null default '{}';
alter table bm.member add column storage bigint;

-- Records that were written while columns were filled from others: `storage` are the columns that are behind, `made`
-- tells a record that came in meanwhile from one that changed.
create table sys.touched (
    storage     bigint not null,
    record      bigint not null,
    made        boolean not null default false,
    primary key (storage, record)
);

-- What the triggers run: with the storage id that stands for the columns to fill, and whether the mark is taken away.
create function sys.touch() returns trigger language plpgsql as $$
begin
    if tg_argv[1] = 'done' then
        delete from sys.touched where storage = tg_argv[0]::bigint and record = new.id;
    elsif tg_op = 'DELETE' then
        insert into sys.touched (storage, record) values (tg_argv[0]::bigint, old.id)
            on conflict (storage, record) do update set made = false;
    else
        insert into sys.touched (storage, record, made) values (tg_argv[0]::bigint, new.id, tg_op = 'INSERT')
            on conflict (storage, record) do update set made = false;
    end if;
    return null;
end $$;
