-- Values of choices and states have former names too: `means` is the choices, or the identity of the field of states,
-- and after a dot the value that it is now.

alter table bm.former_name drop constraint former_name_kind_check;
alter table bm.former_name add constraint former_name_kind_check check (kind in ('table', 'field', 'object', 'value'));
