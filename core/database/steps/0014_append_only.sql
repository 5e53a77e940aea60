-- What a promotion did stays as it was written: once it has ended, neither it nor its steps, statements and wishes are
-- changed or deleted, by nobody's ordinary SQL. (An account that goes takes its number out of them, not its name.)

create function bm.ended(promotion bigint) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (select from bm.promotion
                   where id = $1 and state in ('done', 'failed', 'cancelled', 'abandoned'))
$$;

create function bm.keep() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    account jsonb := '{"by_account": null}';
    ended boolean;
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'the journal of promotions is only added to' using errcode = 'restrict_violation';
    end if;
    if tg_table_name = 'promotion' then
        ended := old.state in ('done', 'failed', 'cancelled', 'abandoned');
    else
        ended := bm.ended(old.promotion_id);
    end if;
    if not ended then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'UPDATE' and to_jsonb(new) = to_jsonb(old) || account and to_jsonb(old) ? 'by_account' then
        return new;
    end if;
    raise exception 'promotion % has ended; its journal is only added to',
        coalesce(to_jsonb(old) ->> 'promotion_id', to_jsonb(old) ->> 'id') using errcode = 'restrict_violation';
end $$;

do $$
declare
    name text;
begin
    foreach name in array array['promotion', 'step', 'statement', 'wish'] loop
        execute format('create trigger keep before update or delete on bm.%I for each row execute function bm.keep()',
                       name);
        execute format('create trigger keep_all before truncate on bm.%I execute function bm.keep()', name);
    end loop;
end $$;
