-- Bundles that were refused: what came, who brought it, why it was not taken. Append-only.
create table bm.refused_bundle (
    id          bigint generated always as identity primary key,
    digest      text not null,
    name        text not null,
    author      text not null default '',
    reason      text not null,
    at          timestamptz not null default now()
);
