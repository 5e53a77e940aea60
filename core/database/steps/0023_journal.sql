-- The journal of a promotion that has ended is not added to either. What broke one off stands in it, and what who began
-- one on a page has to be allowed, for that is asked again when another process runs it.

alter table bm.promotion
    add column duty text check (duty in ('promote', 'roll_back', 'purge'));     -- null: begun by a command

update bm.promotion set duty = case when base = target then 'purge'
                                    when plan -> 'back' = 'true' and folder is null then 'roll_back'
                                    else 'promote' end
    where by_account is not null and state in ('waiting', 'running', 'preparing', 'flipped', 'undoing');

create table bm.fault (
    id           bigint generated always as identity primary key,
    promotion_id bigint not null references bm.promotion on delete cascade,
    step         integer,                               -- that was under way
    said         jsonb not null,
    place        text not null,                         -- of the code
    host         text not null,
    process      integer not null,
    happened_on  timestamptz not null default clock_timestamp()
);
create index fault_promotion on bm.fault (promotion_id);

create or replace function bm.keep() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    account jsonb := '{"by_account": null}';
    number bigint;
    ended boolean;
begin
    if tg_op = 'TRUNCATE' then
        raise exception 'the journal of promotions is only added to' using errcode = 'restrict_violation';
    end if;
    if tg_table_name <> 'promotion' then
        if tg_op <> 'INSERT' and bm.ended(old.promotion_id) then
            number := old.promotion_id;
        elsif tg_op <> 'DELETE' and bm.ended(new.promotion_id) then
            number := new.promotion_id;
        end if;
        ended := number is not null;
    elsif tg_op = 'INSERT' then                         -- a promotion begins with its beginning
        number := new.id;
        ended := new.state not in ('waiting', 'running');
    else
        number := old.id;
        ended := old.state in ('done', 'failed', 'cancelled', 'abandoned');
    end if;
    if not ended then
        return case when tg_op = 'DELETE' then old else new end;
    end if;
    if tg_op = 'UPDATE' and to_jsonb(new) = to_jsonb(old) || account and to_jsonb(old) ? 'by_account' then
        return new;
    end if;
    raise exception 'promotion % has ended; its journal is only added to', number using errcode = 'restrict_violation';
end $$;

create trigger keep before update or delete on bm.fault for each row execute function bm.keep();
create trigger keep_all before truncate on bm.fault execute function bm.keep();

do $$
declare
    name text;
begin
    foreach name in array array['promotion', 'step', 'statement', 'wish', 'fault'] loop
        execute format('create trigger keep_new before insert on bm.%I for each row execute function bm.keep()', name);
    end loop;
end $$;
