-- A token says what it is for; one that says nothing may do nothing. Those made before could do all that their user may.
update sys.token set scopes = '{read,write,export}' where scopes = '{}';
alter table sys.token alter column scopes set default '{read,write,export}';
