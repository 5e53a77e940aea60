"""Drift: what somebody changed by hand is told with what should be there and the way out, and stops promotions."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.bm import mending, service
from core.bm.drift import findings as drifts
from core.bm.engine.steps import Step
from core.bm.inputs.drifted import Drifted
from core.errors import NotFound, Refused
from tests.core.bm.conftest import Live
from tests.unchanged import unchanged


def look(system: Live) -> drifts.Drift:
    return drifts.drift(system.settings, system.engine, system.plugins)


def only(system: Live) -> Drifted:
    [one] = look(system).findings
    return one


def by_hand(system: Live, statement: str) -> None:
    with system.engine.begin() as connection:
        connection.execute(text(statement))


def table_of(system: Live, name: str) -> str:
    """The physical table of a logical one."""
    return str(system.sql("select p.table_name from sys.physical p join bm.member m on m.id = p.id and p.part = ''"
                          f" where m.path = '{name}' and p.column_name is null")[0][0])


def column_of(system: Live, path: str) -> str:
    return str(system.sql("select p.column_name from sys.physical p join bm.member m on m.id = p.id"
                          f" where m.path = '{path}' and p.part = ''")[0][0])


def stopped(system: Live, *said: str) -> None:
    """A promotion is refused, names what differs and changes nothing."""
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    with unchanged(system.engine):
        problems = system.plan().plan.problems
        assert problems and not system.plan().plan.steps
        for words in said:
            assert words in "\n".join(map(str, problems))
        with pytest.raises(Refused):
            system.promote()


def test_a_system_as_it_was_promoted_has_no_drift(system: Live) -> None:
    assert look(system).none
    system.site.write("more.yaml", "change: table company\nfields: {name: null, region: {type: text, required: true}}\n"
                      "display: '{region}'\nindexes: {region: {fields: [region, size]}}\n")
    system.promote()
    assert look(system).none
    system.rollback()
    assert [one.what for one in look(system).findings] == ["unpromoted changes"]


@pytest.mark.parametrize(("statement", "what", "found", "adoptable"), [
    ('alter table ed."{company}" add column shoe integer', "extra column", "integer", True),
    ('alter table ed."{company}" drop column "{size}"', "missing column", "no such column", False),
    ('alter table ed."{company}" alter column "{size}" type text', "other type", "text", False),
    ('alter table ed."{company}" add constraint positive check ("{size}" > 0)', "extra constraint", "CHECK", True),
    ('create table ed.shoes (id integer)', "extra table", "ed.shoes", True),
    ('alter table ed."{company}" alter column "{size}" set not null', "required column", "not null", False),
])
def test_requirement_11_a_table_changed_by_hand_stops_promotions(system: Live, statement: str, what: str, found: str,
                                                  adoptable: bool) -> None:
    names = {"company": table_of(system, "company"), "size": column_of(system, "company.size")}
    by_hand(system, statement.format(**names))
    one = only(system)
    assert (one.view, one.what, one.stops, one.adoptable) == ("tables", what, True, adoptable)
    assert found in str(one.found) and str(one.wanted) and str(one.way_out)
    stopped(system, what, one.name)


def test_a_trigger_that_is_not_ours_stops_promotions(system: Live) -> None:
    by_hand(system, "create function public.shout() returns trigger language plpgsql as 'begin return new; end'")
    by_hand(system, f'create trigger shout before update on ed."{table_of(system, "company")}" for each row'
                    " execute function public.shout()")
    assert only(system).what == "extra trigger"
    stopped(system, "shout")


def test_what_was_added_by_hand_can_be_told_to_stay(system: Live) -> None:
    by_hand(system, f'alter table ed."{table_of(system, "company")}" add column shoe integer')
    name = only(system).name
    drifts.adopt(system.engine, [name], system.plugins, "ada")
    found = look(system)
    assert found.none and [one.name for one in found.adopted] == [name]
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    system.promote()
    assert f"{table_of(system, 'company')}.shoe" in system.columns()
    by_hand(system, f'alter table ed."{table_of(system, "company")}" alter column shoe type text')
    assert only(system).name == name                                # another one than was adopted


def test_what_is_gone_or_other_cannot_stay(system: Live) -> None:
    by_hand(system, f'alter table ed."{table_of(system, "company")}" drop column "{column_of(system, "company.size")}"')
    with pytest.raises(Refused, match="cannot stay"):
        drifts.adopt(system.engine, [only(system).name], system.plugins)
    with pytest.raises(NotFound):
        drifts.adopt(system.engine, ["nothing.of_it"], system.plugins)


def test_indexes_and_constraints_come_back_by_repair(system: Live) -> None:
    made = {name for name, in system.sql("select indexname from pg_indexes where schemaname = 'ed'")}
    index = next(name for name in made if name.startswith("ix_"))
    [[key, table]] = system.sql("select conname, conrelid::regclass::text from pg_constraint where contype = 'f'"
                                " and connamespace = 'ed'::regnamespace order by conname limit 1")
    by_hand(system, f'drop index ed."{index}"')
    by_hand(system, f'alter table {table} drop constraint "{key}"')
    by_hand(system, f'alter table ed."{table_of(system, "company")}" alter column "{column_of(system, "company.size")}"'
                    " set not null")
    found = look(system).findings
    assert {one.what for one in found} == {"missing index", "missing constraint", "required column"}
    number = mending.repair(system.engine, system.plugins, "ada")
    assert number == 2 and mending.left(system.engine, number) == ()
    ran = system.sql("select sql from bm.statement where promotion_id = 2 and started_on <= ended_on order by number")
    assert look(system).none and len(ran) == 4 and any("concurrently" in one.lower() for one, in ran)
    assert system.sql("select by_name, message, state, target from bm.promotion where id = 2") == [
        ("ada", "", "done", 1)]
    assert mending.repair(system.engine, system.plugins) is None
    assert {name for name, in system.sql("select indexname from pg_indexes where schemaname = 'ed'")} == made


def test_a_constraint_that_records_break_is_told_and_left(system: Live) -> None:
    [[table]] = system.sql("select table_name from sys.physical p join bm.member m on m.id = p.id"
                           " where m.path = 'company.parent'")
    column = column_of(system, "company.parent")
    [[key]] = system.sql(f"select conname from pg_constraint where conrelid = 'ed.\"{table}\"'::regclass and contype = 'f'")
    one = system.create("company", name="A")
    by_hand(system, f'alter table ed."{table}" drop constraint "{key}"')
    by_hand(system, f'update ed."{table}" set "{column}" = 999999 where id = {one}')
    number = mending.repair(system.engine, system.plugins)
    assert number is not None
    [told] = mending.left(system.engine, number)
    assert told.startswith(f"{table}.{key}: ") and "violates foreign key" in told
    assert system.sql(f'select "{column}" from ed."{table}" where id = {one}') == [(999999,)]
    assert only(system).what == "unchecked constraint"


def test_a_repair_that_broke_off_is_finished_by_whoever_comes_next(system: Live) -> None:
    [[index]] = system.sql("select indexname from pg_indexes where schemaname = 'ed'"
                           " and indexname like 'ix%' order by 1 limit 1")
    by_hand(system, f'drop index ed."{index}"')
    by_hand(system, f'alter table ed."{table_of(system, "company")}" alter column "{column_of(system, "company.size")}"'
                    " set not null")

    def killed(step: Step) -> None:
        if step.number == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        mending.repair(system.engine, system.plugins, "ada", say=killed)
    with pytest.raises(Refused, match="under way"):
        mending.repair(system.engine, system.plugins, "ada")
    assert service.finish_earlier(system.engine, system.plugins)
    assert look(system).none and system.sql("select state from bm.promotion where id = 2") == [("done",)]


def test_a_column_that_live_uses_and_is_noted_as_parked_is_noted_as_live_again(system: Live) -> None:
    by_hand(system, "update sys.physical set state = 'parked' where id = (select id from bm.member where path ="
                    " 'company.size')")
    assert only(system).what == "parked in use"
    assert mending.repair(system.engine, system.plugins) == 2 and look(system).none


@pytest.mark.parametrize(("statement", "what"), [
    ("update bm.definition set body = replace(body::text, 'Companies', 'Firms')::json where kind = 'table'",
     "changed definition"),
    ("update bm.version set manifest = jsonb_set(manifest, '{merged}', (manifest -> 'merged') - 0)", "changed version"),
    ("update bm.blob set data = data || 'x'::bytea", "changed file"),
    ("delete from bm.definition where hash = (select manifest -> 'merged' ->> 0 from bm.version limit 1)",
     "missing definition"),
])
def test_requirement_11_a_stored_version_changed_by_hand_stops_promotions(system: Live, statement: str, what: str) -> None:
    if what == "missing definition":
        with system.engine.connect() as connection:
            from core.bm.versions import live
            base = live.state(connection, system.version, system.plugins)
        by_hand(system, statement)
        with system.engine.connect() as connection:
            from core.bm.inputs import facts
            found = drifts.stopping(connection, base, facts.gather(connection))
        assert any(what in str(one) for one in found)
        return
    by_hand(system, statement)
    found_here = look(system).findings
    assert {one.what for one in found_here if one.view == "definitions"} == {what} and found_here[0].stops
    stopped(system, what)


def test_a_live_version_that_nobody_promoted_stops_promotions(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    system.promote()
    by_hand(system, "update bm.live set version = 1")
    found = [one for one in look(system).findings if one.view == "definitions"]
    assert "not the last promotion" in {one.what for one in found}
    with pytest.raises(Refused, match="not the last promotion"):
        system.promote()
    by_hand(system, "update bm.live set version = 2")
    assert look(system).none


def test_a_change_between_plan_and_promotion_is_named(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    planned = system.plan()
    by_hand(system, f'alter table ed."{table_of(system, "company")}" add column shoe integer')
    with unchanged(system.engine), pytest.raises(Refused, match=r"by hand since the plan(.|\n)*extra column .*shoe"):
        system.promote(planned=planned)


def test_requirement_11_the_folder_beside_live(system: Live) -> None:
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    one = only(system)
    assert (one.view, one.what, one.stops) == ("folder", "unpromoted changes", False) and "more.yaml" in str(one.found)
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: nothing}}\n")
    assert only(system).what == "broken definitions"
    system.site.write("more.yaml", "change: table company\nfields: {region: {type: text}}\n")
    base = (system.site.metadata / ".base").read_text()
    system.promote()
    assert look(system).none
    (system.site.metadata / ".base").write_text(base)
    assert [one.what for one in look(system).findings] == ["live moved on"]


def test_the_command_tells_by_its_exit_code(system: Live, capsys: pytest.CaptureFixture[str],
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from core.cli import Invocation
    from core.cli.drift import command
    monkeypatch.setattr(service, "load_plugins", lambda settings: system.plugins)
    clean = CliRunner().invoke(command, [], obj=Invocation(system.settings))
    assert clean.exit_code == 0 and "No drift" in clean.output
    by_hand(system, f'alter table ed."{table_of(system, "company")}" add column shoe integer')
    found = CliRunner().invoke(command, [], obj=Invocation(system.settings))
    assert found.exit_code == 1 and "extra column" in found.output and "stops promotions" in found.output
    name = only(system).name
    adopted = CliRunner().invoke(command, ["--adopt", name, "--json"], obj=Invocation(system.settings))
    assert adopted.exit_code == 0 and '"drift": []' in adopted.output
