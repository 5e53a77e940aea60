-- While columns are filled with what is read from linked records and from lines, a write to one of those marks the
-- records that read it: the trigger has the storage id, the column of a line that leads to its record (or '' for the
-- record itself), and a select that leads on from there. Once the new version is live nobody reads through any more.
create function sys.touch_from() returns trigger language plpgsql as $$
declare
    ids bigint[];
begin
    if exists (select from bm.promotion where state = 'flipped') then
        return null;
    end if;
    if tg_argv[1] = '' then
        ids := array[coalesce((to_jsonb(new) ->> 'id')::bigint, (to_jsonb(old) ->> 'id')::bigint)];
    else
        ids := array[(to_jsonb(new) ->> tg_argv[1])::bigint, (to_jsonb(old) ->> tg_argv[1])::bigint];
    end if;
    execute 'insert into sys.touched (storage, record) select distinct $1, found.id from (' || tg_argv[2]
        || ') found (id) where found.id is not null'
        || ' on conflict (storage, record) do update set made = false' using tg_argv[0]::bigint, ids;
    return null;
end $$;
