-- Who changed which setting, when: sys.setting has only what holds now, under setting.NAME or setting.NAME@RECORD.
create table sys.setting_change (
    id          bigint generated always as identity primary key,
    key         text not null,
    before      jsonb,
    after       jsonb,
    at          timestamptz not null default now(),
    user_id     bigint,
    how         text not null
);
create index setting_change_key on sys.setting_change (key, id);
