-- Who took what out, and how much of it.
create table sys.export (
    id         bigint generated always as identity primary key,
    table_name text not null,
    format     text not null,
    fields     jsonb not null,
    condition  jsonb not null default '{}',
    rows       bigint not null,
    how        text not null,
    by         bigint,
    version    integer,
    at         timestamptz not null default now()
);
create index export_by on sys.export (by, at);
do $$
begin
    execute format('revoke update, delete on sys.export from %I', current_user || '_app');
end $$;
