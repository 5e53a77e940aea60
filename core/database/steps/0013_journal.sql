-- The journal of promotions: who runs one, how far each step is, each statement with its time, and what people asked.

alter table bm.promotion
    add column runner_epoch integer not null default 0,     -- goes up with each process that takes it over
    add column by_name      text not null default '',
    add column host         text not null default '',       -- where it runs, or ran last
    add column process      integer,
    add column ends_as      text check (ends_as in ('failed', 'cancelled', 'abandoned')),  -- while it is undone
    add column paused       jsonb,                          -- since when, why, by whom; what holds a busy table
    add column folder       jsonb;                          -- the site's folder that is to say it equals this version

alter table bm.step
    add column done         bigint not null default 0,
    add column total        bigint,
    add column cursor       jsonb,                          -- where its batches go on
    add column since        timestamptz,                    -- when its present run began, and how much was done then
    add column since_done   bigint not null default 0,
    add column note         text not null default '';       -- what it waits for

create table bm.statement (
    promotion_id bigint not null references bm.promotion on delete cascade,
    number       integer not null,
    step         integer not null,
    sql          text not null,
    undo         boolean not null default false,
    started_on   timestamptz not null,
    ended_on     timestamptz not null,
    tries        integer not null default 1,
    rows         bigint,
    primary key (promotion_id, number)
);

-- What people asked of a promotion that runs; the last one counts.
create table bm.wish (
    id           bigint generated always as identity primary key,
    promotion_id bigint not null references bm.promotion on delete cascade,
    wish         text not null check (wish in ('pause', 'continue', 'cancel')),
    by_account   bigint references sys.account on delete set null,
    by_name      text not null,
    host         text not null,
    process      integer not null,
    asked_on     timestamptz not null default clock_timestamp()
);
create index wish_promotion on bm.wish (promotion_id);

-- What earlier releases left open before its flip was never live; what it made goes with the next promotion.
update bm.promotion set state = 'abandoned', ended_on = now(), error = 'the process that ran it ended'
    where state in ('running', 'preparing');
