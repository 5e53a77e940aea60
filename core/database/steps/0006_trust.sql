-- A file knows the record and field it was written for; an attachment has no field, a staged upload no record yet.
alter table sys.file
    add column record_id    bigint,
    add column field_id     bigint,
    add column staged       boolean not null default false,
    add column removed_on   timestamptz;
create index file_record on sys.file (record_id) where record_id is not null;
create index file_staged on sys.file (created_by) where staged;

-- What people say beside a record; history has the entry, here is the text, so that it can be taken back.
create table sys.remark (
    id          bigint generated always as identity primary key,
    record_id   bigint not null,
    table_id    bigint not null,
    text        text,
    created_by  bigint,
    created_on  timestamptz not null default now(),
    removed_on  timestamptz
);
create index remark_record on sys.remark (record_id);

-- The role that serves requests cannot touch history; what is purged is forgotten by this, and only if it is gone.
create function sys.forget_history(records bigint[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place text;
    number bigint;
begin
    for place in select distinct table_name from sys.physical where column_name is null loop
        if to_regclass(format('ed.%I', place)) is not null then
            execute format('select array_agg(r) from unnest($1) r where not exists (select from ed.%I t where t.id = r)',
                           place) into records using coalesce(records, '{}');
        end if;
    end loop;
    delete from sys.history where record_id = any(coalesce(records, '{}')) and not change ? '_purged';
    get diagnostics number = row_count;
    return number;
end $$;
revoke all on function sys.forget_history(bigint[]) from public;
