-- The business model: content-addressed definitions, versions, the pointer to the live one, and promotions.

-- Every table and field there ever was, under the last name it had; its id is given at its first promotion and
-- kept for good. A name that returns with the same meaning takes a parked member back, and with it its values.
create table bm.member (
    id          bigint primary key,
    path        text not null,
    meaning     text not null,
    state       text not null check (state in ('new', 'live', 'parked')),   -- new: staged, never live yet
    changed_on  timestamptz not null default now()
);
create index member_path on bm.member (path);

create table bm.definition (
    hash        text primary key,
    format      integer not null,
    kind        text not null,
    name        text not null,
    layer       text not null,
    body        json not null                  -- not jsonb: the order of members matters
);

create table bm.blob (
    hash        text primary key,
    data        bytea not null
);

create table bm.version (
    id          bigint generated always as identity primary key,
    hash        text not null unique,
    parent      bigint references bm.version,
    manifest    jsonb not null,
    identities  jsonb not null,
    code        jsonb not null default '{}',
    message     text not null default '',
    author      text not null default '',
    created_on  timestamptz not null default now()
);

create table bm.live (
    one         boolean primary key default true check (one),
    version     bigint references bm.version,
    epoch       bigint not null default 1
);
insert into bm.live default values;

create table bm.promotion (
    id          bigint generated always as identity primary key,
    base        bigint references bm.version,
    target      bigint not null references bm.version,
    plan        jsonb not null,
    plan_hash   text not null,
    state       text not null,
    by_account  bigint references sys.account on delete set null,
    message     text not null default '',
    started_on  timestamptz not null default now(),
    ended_on    timestamptz,
    error       text
);

create table bm.step (
    promotion_id bigint not null references bm.promotion on delete cascade,
    number      integer not null,
    kind        text not null,
    target      text not null,
    sql         text not null,
    state       text not null,
    started_on  timestamptz,
    ended_on    timestamptz,
    error       text,
    primary key (promotion_id, number)
);

-- Live-owned things (role assignments, saved views) change without a promotion and raise the epoch.
do $$
begin
    execute format('grant update (epoch) on bm.live to %I', current_user || '_app');
end $$;
