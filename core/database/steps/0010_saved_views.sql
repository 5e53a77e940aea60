-- Lists as people have arranged them: for themselves, for those who count as somebody (a team), for a role, for all.
create table sys.saved_view (
    id          bigint generated always as identity primary key,
    object      text not null,
    title       text not null,
    owner       bigint not null,
    everyone    boolean not null default false,
    role        text,
    people      bigint,
    state       jsonb not null,
    version     integer not null default 1,
    changed_on  timestamptz not null default now()
);
create index saved_view_object on sys.saved_view (object);

-- The view that a list opens with, by user.
create table sys.first_view (
    user_id     bigint not null,
    object      text not null,
    view_id     bigint not null references sys.saved_view on delete cascade,
    primary key (user_id, object)
);
