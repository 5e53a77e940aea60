-- The schemas and what is neither definitions nor records: accounts, sessions, physical names, history, search.
-- The role that runs the steps owns everything; its companion `<owner>_app` serves requests and owns nothing.

do $$
begin
    if current_setting('server_version_num')::int < 160000 then
        raise exception 'PostgreSQL 16 or newer is needed, this is %', current_setting('server_version');
    end if;
    if not exists (select from pg_roles where rolname = current_user || '_app') then
        execute format('create role %I nologin nosuperuser nocreatedb nocreaterole', current_user || '_app');
    end if;
end $$;

create extension if not exists pg_trgm with schema public;
create extension if not exists unaccent with schema public;

create schema sys;
create schema bm;
create schema ed;
create schema jobs;

do $$
declare
    app text := current_user || '_app';
    space text;
begin
    foreach space in array array['sys', 'bm', 'ed', 'jobs'] loop
        execute format('grant usage on schema %I to %I', space, app);
        execute format('alter default privileges in schema %I grant usage, select on sequences to %I', space, app);
    end loop;
    foreach space in array array['sys', 'ed', 'jobs'] loop
        execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to %I',
                       space, app);
        execute format('alter default privileges in schema %I grant execute on functions to %I', space, app);
    end loop;
    execute format('grant select on public.tessera_step to %I', app);
    execute format('alter default privileges in schema bm grant select on tables to %I', app);
end $$;

-- Every record of every table draws its id from here, so that an id says which record is meant without its table.
create sequence ed.record_id;

create table sys.setting (
    key         text primary key,
    value       jsonb not null
);

create table sys.account (
    id          bigint generated always as identity primary key,
    user_id     bigint unique,
    login       text not null unique check (login = lower(login)),
    password    text,
    active      boolean not null default true,
    demo        boolean not null default false,
    created_on  timestamptz not null default now(),
    password_changed_on timestamptz
);

create table sys.session (
    hash        bytea primary key,
    account_id  bigint not null references sys.account on delete cascade,
    csrf        text not null,
    created_on  timestamptz not null default now(),
    seen_on     timestamptz not null default now(),
    expires_on  timestamptz not null
);
create index session_account on sys.session (account_id);
create index session_expires on sys.session (expires_on);

create table sys.token (
    id          bigint generated always as identity primary key,
    hash        bytea not null unique,
    account_id  bigint not null references sys.account on delete cascade,
    name        text not null,
    scopes      text[] not null default '{}',
    created_on  timestamptz not null default now(),
    expires_on  timestamptz,
    used_on     timestamptz,
    revoked_on  timestamptz
);
create index token_account on sys.token (account_id);

create table sys.setup_link (
    hash        bytea primary key,
    expires_on  timestamptz not null,
    used_on     timestamptz
);

create table sys.login_attempt (
    id          bigint generated always as identity primary key,
    login       text not null,
    address     text not null,
    at          timestamptz not null default now(),
    success     boolean not null
);
create index login_attempt_login on sys.login_attempt (login, at);
create index login_attempt_address on sys.login_attempt (address, at);

create table sys.idempotency (
    account_id  bigint not null references sys.account on delete cascade,
    key         text not null,
    request_hash text not null,
    status      integer,
    body        jsonb,
    created_on  timestamptz not null default now(),
    primary key (account_id, key)
);
create index idempotency_created on sys.idempotency (created_on);

-- Physical names belong to the system, not to a version: a rename keeps its column, a returning name finds it.
create table sys.physical (
    id          bigint not null,
    part        text not null default '',
    table_name  text not null,
    column_name text,
    type        text not null default '',
    state       text not null default 'live' check (state in ('live', 'parked')),
    changed_on  timestamptz not null default now(),
    primary key (id, part)
);
create unique index physical_name on sys.physical (table_name, column_name) nulls not distinct;

-- What a layer shipped for each data record, so that a later version merges with live's own changes by field.
create table sys.seed (
    table_id    bigint not null,
    key         text not null,
    layer       text not null,
    shipped     jsonb not null,
    record_id   bigint,
    primary key (table_id, key)
);

-- Who serves: which version a process has prepared, the oldest one a request of it still runs on, and until when
-- its word holds.
create table sys.worker (
    id          uuid primary key,
    pid         integer not null,
    host        text not null default '',
    kind        text not null,
    version     bigint,
    prepared    bigint,
    oldest      bigint,
    started_on  timestamptz not null default now(),
    lease_until timestamptz not null,
    error       text
);

create table sys.sequence (
    name        text primary key,
    value       bigint not null
);

create table sys.history (
    id          bigint generated always as identity primary key,
    record_id   bigint not null,
    table_id    bigint not null,
    at          timestamptz not null default now(),
    user_id     bigint,
    how         text not null,
    import_id   bigint,
    version     bigint,
    change      jsonb not null
);
create index history_record on sys.history (record_id, id);
create index history_import on sys.history (import_id) where import_id is not null;

-- One row for each record and part: part 0 is what every reader of the table may read, others have a right each.
create table sys.search (
    record_id   bigint not null,
    table_id    bigint not null,
    part        integer not null default 0,
    tsv         tsvector not null,
    label       text not null default '',
    primary key (record_id, part)
);
create index search_tsv on sys.search using gin (tsv);
create index search_table on sys.search (table_id);

-- Filled in the writing transaction, emptied by the worker. Not unique, so that writers never wait for each other.
create table sys.search_queue (
    id          bigint generated always as identity primary key,
    record_id   bigint not null,
    table_id    bigint not null,
    queued_on   timestamptz not null default now()
);
create index search_queue_record on sys.search_queue (record_id);

create table sys.file (
    id          bigint generated always as identity primary key,
    hash        text not null,
    name        text not null,
    type        text not null,
    size        bigint not null check (size >= 0),
    created_by  bigint,
    created_on  timestamptz not null default now()
);
create index file_hash on sys.file (hash);

create table sys.import (
    id          bigint generated always as identity primary key,
    table_name  text not null,
    file_name   text not null,
    file_hash   text not null,
    mapping     jsonb not null default '{}',
    state       text not null default 'running',
    row         bigint not null default 0,
    created     bigint not null default 0,
    updated     bigint not null default 0,
    failed      bigint not null default 0,
    by          bigint,
    started_on  timestamptz not null default now(),
    ended_on    timestamptz,
    error       text
);

-- History is written once: the role that serves requests can neither change nor remove it.
do $$
begin
    execute format('revoke update, delete on sys.history from %I', current_user || '_app');
end $$;
