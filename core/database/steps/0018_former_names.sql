-- What tables, fields and pages were called before a promotion renamed them: for a while those outside may still say so.

create table bm.former_name (
    kind        text not null check (kind in ('table', 'field', 'object')),
    name        text not null,                      -- without the table before it
    means       text not null,                      -- an identity; of an object, whose name is all it has, the next name
    noted_on    timestamptz not null default now(),
    primary key (kind, name, means)
);
