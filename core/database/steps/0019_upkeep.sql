-- What somebody changed in the tables of records by hand and is to stay, and what was removed for good after it was
-- parked: a version that needs that cannot come back.

create table bm.adopted (
    what        text not null,                  -- what is meant: "extra index", "extra column"...
    name        text not null,                  -- where it is: "company_12.size"
    found       text not null,                  -- as it was then; another one of that name is told again
    by_name     text not null default '',
    adopted_on  timestamptz not null default now(),
    primary key (what, name)
);

alter table bm.member drop constraint member_state_check,
    add constraint member_state_check check (state in ('new', 'live', 'parked', 'purged'));

create table bm.purged (
    storage     bigint primary key,             -- whose columns or table went; a member's own number, or another of it
    member      bigint not null,
    path        text not null,
    by_name     text not null default '',
    purged_on   timestamptz not null default now()
);
