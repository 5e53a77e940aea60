"""What promotions remove is kept with its values, comes back with them, and goes for good only when somebody says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from core.bm import parked, parked_purge, parked_restore, service
from core.bm.changes import purging
from core.bm.engine import journal
from core.bm.engine.journal import Statement
from core.bm.parked import Parked
from core.errors import NotFound, Refused
from tests.core.bm.conftest import Live
from tests.core.bm.drift.test_drift import by_hand, look
from tests.unchanged import unchanged

LATER = datetime.now(UTC) + timedelta(days=31)
FIELD = "change: table company\nkeeps: [history]\nfields:\n  phone: {type: text, title: Phone}\n"
TABLE = """
    table: visit
    title: Visit
    plural: Visits
    display: "{place}"
    keeps: [history]
    fields:
      place: {type: text}
      company: {type: link, to: company}
    """


def things(system: Live) -> tuple[Parked, ...]:
    with system.engine.connect() as connection:
        return parked.parked(connection, system.settings)


def purge(system: Live, *names: str, moment: datetime = LATER, now: bool = False, forget: bool = True) -> int:
    with system.engine.connect() as connection:
        chosen = parked_purge.chosen(parked.parked(connection, system.settings), names, moment, now)
        planned, state = parked_purge.plan(connection, system.plugins, chosen, forget)
    return parked_purge.apply(system.engine, system.plugins, planned, state, "ada")


def statements(system: Live, number: int) -> tuple[Statement, ...]:
    with system.engine.connect() as connection:
        return journal.statements(connection, number)


def with_phone(system: Live) -> int:
    """A company with a phone, whose field was removed since."""
    system.site.write("phone.yaml", FIELD)
    system.promote()
    one = system.create("company", name="A", phone="123")
    system.create("company", name="B")
    system.site.write("phone.yaml", None)
    system.promote()
    return one


def with_visit(system: Live) -> int:
    """A visit, whose table was removed since."""
    system.site.write("visit.yaml", TABLE)
    system.promote()
    visit = system.create("visit", place="Ulm", company=system.create("company", name="A"))
    system.site.write("visit.yaml", None)
    system.promote()
    return visit


def test_nothing_is_parked_at_first(system: Live) -> None:
    assert things(system) == ()


def test_a_removed_field_is_listed_with_what_it_holds(system: Live) -> None:
    with_phone(system)
    [one] = things(system)
    assert (one.name, one.what, one.values) == ("company.phone", "field", 1)
    assert one.last_written is not None and one.purge_from - one.parked_on == timedelta(days=30)
    assert not one.ripe(datetime.now(UTC)) and one.ripe(LATER)
    assert one.as_json()["values"] == 1


def test_a_removed_table_is_listed_once_with_its_records(system: Live) -> None:
    with_visit(system)
    [one] = things(system)
    assert (one.name, one.what, one.values, one.columns) == ("visit", "table", 1, ())


def test_a_removed_kind_is_listed_with_its_records(system: Live) -> None:
    system.site.write("case.yaml", "table: case\ntitle: Case\nplural: Cases\nbase: ticket\ndisplay: '{title}'\n"
                      "fields:\n  depth: {type: integer}\n")
    system.promote()
    system.create("case", title="C", depth=3)
    system.create("ticket", title="T")
    system.site.write("case.yaml", None)
    system.promote()
    assert [(one.name, one.what, one.values) for one in things(system)] == [("case", "kind", 1), ("case.depth", "field", 1)]
    purge(system)
    assert things(system) == ()
    assert system.sql("select count(*) from ed." + _place(system, "ticket")) == [(1,)]


def _place(system: Live, table: str) -> str:
    return str(system.sql("select p.table_name from sys.physical p join bm.member m on m.id = p.id"
                          f" where m.path = '{table}' and p.column_name is null")[0][0])


@pytest.mark.parametrize("renamed", [False, True])
def test_requirement_5_what_is_restored_returns_with_every_value(system: Live, renamed: bool) -> None:
    system.site.write("phone.yaml", FIELD)
    system.promote()
    one = system.create("company", name="A", phone="123")
    name = "phone"
    if renamed:
        name = "mobile"
        system.site.write("phone.yaml", FIELD.replace("phone:", "mobile:").replace("type: text,", "type: text, was: phone,"))
        system.promote()
    system.site.write("phone.yaml", None)
    system.promote()
    before = system.columns()
    file = parked_restore.restore(system.settings, system.engine, system.plugins, f"company.{name}")
    assert file.is_relative_to(system.site.metadata) and "Phone" in file.read_text()
    plan = system.plan().plan
    assert [change.describe().message for change in plan.changes] == ["{what} returns with the values it had"]
    system.promote()
    assert system.read("company", one)[name] == "123" and system.columns() == before and things(system) == ()


def test_a_field_of_a_table_of_the_site_returns_into_the_file_of_the_table(system: Live) -> None:
    own = "table: visit  # ours\ndisplay: \"{place}\"\nfields:\n  place: {type: text}\n"
    system.site.write("tables/visit.yaml", own + "  size: {type: text, title: How large}\n")
    system.promote()
    one = system.create("visit", place="Ulm", size="big")
    system.site.write("tables/visit.yaml", own)
    system.promote()
    file = parked_restore.restore(system.settings, system.engine, system.plugins, "visit.size")
    assert file.name == "visit.yaml" and "# ours" in file.read_text() and "How large" in file.read_text()
    system.promote()
    assert system.read("visit", one)["size"] == "big" and things(system) == ()


def test_a_restored_table_returns_with_every_record(system: Live) -> None:
    visit = with_visit(system)
    parked_restore.restore(system.settings, system.engine, system.plugins, "visit")
    system.promote()
    assert system.read("visit", visit)["place"] == "Ulm"
    assert look(system).none


def test_a_field_of_an_addon_that_the_site_took_away_returns(system: Live) -> None:
    one = system.create("company", name="A", size=7)
    system.site.write("less.yaml", "# we need no sizes\nchange: table company\nfields:\n  size: null\n  name: {max: 90}\n")
    system.promote()
    assert parked_restore.restore(system.settings, system.engine, system.plugins, "company.size").name == "less.yaml"
    assert "we need no sizes" in (system.site.metadata / "less.yaml").read_text()
    system.promote()
    assert system.read("company", one)["size"] == 7


def test_restoring_overwrites_nothing(system: Live) -> None:
    with_phone(system)
    with pytest.raises(NotFound):
        parked_restore.restore(system.settings, system.engine, system.plugins, "company.fax")
    system.site.write("other.yaml", "change: table company\nfields: {phone: {type: integer}}\n")
    with unchanged(system.engine), pytest.raises(Refused, match="already"):
        parked_restore.restore(system.settings, system.engine, system.plugins, "company.phone")


def test_the_same_name_may_be_used_at_once_with_another_type(system: Live) -> None:
    one = with_phone(system)
    system.site.write("phone.yaml", "change: table company\nfields: {phone: {type: integer}}\n")
    system.promote()
    assert system.read("company", one)["phone"] is None
    assert [(thing.name, thing.values) for thing in things(system)] == [("company.phone", 1)]


def test_a_purge_is_journalled_and_nothing_comes_back_from_it(system: Live) -> None:
    one = with_phone(system)
    columns = {name for name in system.columns() if ".phone_" in name}
    number = purge(system)
    assert columns and not columns & system.columns() and things(system) == () and look(system).none
    assert system.read("company", one)["name"] == "A"
    [(by, state, base, target)] = system.sql(f"select by_name, state, base, target from bm.promotion where id = {number}")
    assert (by, state) == ("ada", "done") and base == target == system.version
    [(sql, started, ended)] = system.sql(f"select sql, started_on, ended_on from bm.statement where"
                                         f" promotion_id = {number} and sql like 'alter%'")
    assert "drop column" in sql and started <= ended
    problems = "\n".join(map(str, service.plan_rollback(system.settings, system.engine, 2, system.plugins).plan.problems))
    assert f"company.phone was purged on {datetime.now(UTC):%Y-%m-%d}" in problems
    with unchanged(system.engine), pytest.raises(Refused, match="was purged on"):
        system.rollback(2)
    system.rollback(1)                                      # which never had it


def test_after_a_purge_the_name_begins_anew(system: Live) -> None:
    one = with_phone(system)
    purge(system)
    system.site.write("phone.yaml", FIELD)                  # word for word as it was
    assert "purged on" in "\n".join(map(str, system.plan().plan.problems))
    system.site.write("phone.yaml", FIELD.replace("type: text,", "type: text, fresh: true,"))
    system.promote()
    assert system.read("company", one)["phone"] is None


@pytest.mark.parametrize("forget", [True, False])
def test_history_of_what_is_purged_goes_or_stays_as_the_setting_says(system: Live, forget: bool) -> None:
    system.site.write("phone.yaml", FIELD)
    system.promote()
    one = system.create("company", name="A", phone="123")
    member = system.sql("select id from bm.member where path = 'company.phone'")[0][0]
    system.site.write("phone.yaml", "change: table company\nkeeps: [history]\n")
    system.promote()
    assert system.sql(f"select change ? '{member}' from sys.history where record_id = {one}") == [(True,)]
    purge(system, forget=forget)
    assert system.sql(f"select change ? '{member}' from sys.history where record_id = {one}") == [(not forget,)]


def test_a_purged_table_goes_with_what_stands_beside_its_records(system: Live) -> None:
    visit = with_visit(system)
    assert system.sql(f"select count(*) from sys.history where record_id = {visit}") == [(1,)]
    purge(system)
    assert not any(name.startswith("visit_") for name in system.columns())
    assert system.sql(f"select count(*) from sys.history where record_id = {visit}") == [(0,)]
    with pytest.raises(Refused, match="visit was purged"):
        system.rollback(2)


def test_a_parked_link_into_a_purged_table_keeps_its_values(system: Live) -> None:
    system.site.write("visit.yaml", TABLE)
    system.site.write("seen.yaml", "change: table deal\nfields: {visit: {type: link, to: visit}}\n")
    system.promote()
    deal = system.create("deal", title="D", visit=system.create("visit", place="Ulm"))
    for name in ("visit.yaml", "seen.yaml"):
        system.site.write(name, None)
    system.promote()
    purge(system, "visit")
    [left] = things(system)
    assert (left.name, left.values) == ("deal.visit", 1) and system.read("deal", deal)["title"] == "D"


def test_requirement_5_what_is_young_stays_unless_it_is_named_for_now(system: Live) -> None:
    with_phone(system)
    moment = datetime.now(UTC)
    assert parked_purge.chosen(things(system), (), moment) == ()
    with unchanged(system.engine), pytest.raises(Refused, match="kept until .* --now"):
        purge(system, "company.phone", moment=moment)
    purge(system, "company.phone", moment=moment, now=True)
    assert things(system) == ()


def test_a_plan_that_no_longer_fits_purges_nothing(system: Live) -> None:
    with_phone(system)
    with system.engine.connect() as connection:
        planned, state = parked_purge.plan(connection, system.plugins, things(system), True)
    by_hand(system, f"alter table ed.{_place(system, 'company')} add column shoe integer")
    with unchanged(system.engine), pytest.raises(Refused, match="plan again"):
        parked_purge.apply(system.engine, system.plugins, planned, state)


def test_a_purge_that_broke_off_is_finished_by_whoever_comes_next(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    with_phone(system)
    with monkeypatch.context() as patched:
        def die(*rest: object) -> None:
            raise KeyboardInterrupt
        patched.setattr(purging, "_forget", die)
        with pytest.raises(KeyboardInterrupt):
            purge(system)
    assert [one.name for one in things(system)] == ["company.phone"]
    service.finish_earlier(system.engine, system.plugins)
    assert things(system) == () and look(system).none


def test_each_delete_of_a_purge_stands_in_the_journal(system: Live) -> None:
    with_phone(system)
    with_visit(system)
    system.site.write("case.yaml", "table: case\ntitle: Case\nplural: Cases\nbase: ticket\ndisplay: '{title}'\n"
                      "keeps: [history]\n")
    system.promote()
    system.create("case", title="C")
    system.site.write("case.yaml", None)
    system.promote()
    number = purge(system)
    ran = list(system.sql(f"select sql, rows from bm.statement where promotion_id = {number} and sql not like 'alter%'"
                          " order by number"))
    for start in ("DELETE FROM ed.ticket", "delete from sys.file", "delete from sys.search where", "delete from sys.remark",
                  "delete from sys.seed", "delete from sys.search_queue", "drop table ed."):
        assert any(sql.startswith(start) for sql, _ in ran), start
    assert sum(rows for sql, rows in ran if "update sys.history" in sql) == 1
    assert sum(rows for sql, rows in ran if "delete from sys.history" in sql) == 2
    assert {one.step for one in statements(system, number)} == {2, 3, 4}


def test_the_daily_purge_takes_what_is_ripe_only(system: Live) -> None:
    with_phone(system)
    assert parked_purge.purge_ripe(system.settings, system.engine, system.plugins, datetime.now(UTC)) is None
    assert parked_purge.purge_ripe(system.settings, system.engine, system.plugins, LATER) is not None
    assert things(system) == ()


def test_the_daily_job_does_nothing_unless_the_setting_says_so(system: Live) -> None:
    from core.bm.parked_job import purge_parked
    from core.bm.versions import live
    from core.database.jobs import Job
    with_phone(system)
    by_hand(system, "update sys.physical set changed_on = now() - interval '40 days' where state = 'parked'")

    def work(**changes: bool) -> None:
        settings = system.settings.model_copy(update=changes)
        purge_parked(Job(system.engine, lambda connection: live.system(
            connection, live.current(connection)[0], system.plugins), lambda: False, 1, settings))
    work()
    assert len(things(system)) == 1
    work(purge_parked=True)
    assert things(system) == ()


def test_the_commands_list_restore_and_purge(system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.cli import Invocation
    from core.cli import parked as parked_command
    from core.cli import purge as purge_command
    monkeypatch.setattr(service, "load_plugins", lambda settings: system.plugins)
    with_phone(system)
    invocation = Invocation(system.settings)
    run = CliRunner()
    listed = run.invoke(parked_command.command, [], obj=invocation)
    assert "company.phone  (field, 1 values" in listed.output
    young = run.invoke(purge_command.command, ["--parked", "--yes"], obj=invocation)
    assert "Nothing has been parked long enough" in young.output
    asked = run.invoke(purge_command.command, ["--parked", "--now", "company.phone"], obj=invocation)
    assert isinstance(asked.exception, Refused) and "--yes" in str(asked.exception) and len(things(system)) == 1
    told = run.invoke(purge_command.command, ["--parked", "--now", "--dry-run", "company.phone"], obj=invocation)
    assert "drop column" in told.output and len(things(system)) == 1
    done = run.invoke(purge_command.command, ["--parked", "--now", "--yes", "company.phone"], obj=invocation)
    assert done.exit_code == 0, done.output
    assert things(system) == () and "Nothing is parked" in run.invoke(parked_command.command, [], obj=invocation).output
