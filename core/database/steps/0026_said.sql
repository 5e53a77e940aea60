-- What is told to people is kept as its sentence and what fills it, so that each reads it in their own language.
-- What was written before stays the text that it is.

alter table bm.promotion alter column error type jsonb using to_jsonb(error);
alter table bm.step
    alter column error type jsonb using to_jsonb(error),
    alter column note drop default,
    alter column note type jsonb using to_jsonb(note),
    alter column note set default '""';
alter table sys.worker alter column error type jsonb using to_jsonb(error);
