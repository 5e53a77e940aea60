-- Who has unlocked a locked record, and until when: gone with the next save. Reasons are kept by sys.history.
create table sys.unlocked (
    record_id   bigint not null,
    user_id     bigint not null,
    reason      text not null,
    until       timestamptz not null,
    primary key (record_id, user_id)
);
