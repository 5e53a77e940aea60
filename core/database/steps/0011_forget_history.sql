-- Which tables hold records is asked of the catalogue: sys.physical is written by the role that serves requests, and
-- whoever emptied it could have all history forgotten.
create or replace function sys.forget_history(records bigint[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    place text;
    number bigint;
begin
    for place in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 join pg_attribute a on a.attrelid = c.oid and a.attname = 'id' and not a.attisdropped
                 where n.nspname = 'ed' and c.relkind in ('r', 'p') loop
        execute format('select array_agg(r) from unnest($1) r where not exists (select from ed.%I t where t.id = r)',
                       place) into records using coalesce(records, '{}');
    end loop;
    delete from sys.history where record_id = any(coalesce(records, '{}')) and not change ? '_purged';
    get diagnostics number = row_count;
    return number;
end $$;
revoke all on function sys.forget_history(bigint[]) from public;
