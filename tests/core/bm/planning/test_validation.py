"""Changed definitions are tried in SQL while the plan is made: only those reached, without a lock on what people use."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, text

from core.bm import service
from core.bm.inputs.facts import Facts
from core.bm.inputs.way import Way
from core.bm.planning import validation
from core.bm.versions import live
from core.bm.versions.canonical import canonical
from core.bm.versions.diff import diff
from core.bm.versions.identities import assign
from core.bm.versions.state import state_of
from core.definition import load
from core.definition.queries import Query
from core.ed import query_sql
from core.plugins import Plugins
from tests.core.bm.conftest import Live
from tests.core.bm.sites import Site

QUERY = """
    query: big_companies
    title: Big companies
    of: company
    parameters:
      least: {type: integer, default: 1}
    where: size >= parameter.least
    columns:
      name: {}
      size: {}
    """
LIST = "list: company\nof: company\ntitle: Companies\ncolumns: {name: {}, size: {}}\norder: [name]\n"


def write_all(site: Site) -> None:
    site.write("query.yaml", QUERY)
    site.write("list.yaml", LIST)


def reached(site: Site, name: str, content: str) -> list[tuple[str, str]]:
    """What a change of a file makes a plan try."""
    before = site.state()
    site.write(name, content)
    loaded = load([site.folder / "addons"], site.metadata, Plugins())
    after = assign(before, state_of(loaded.must(), live.contents(loaded, Plugins()).hash), [], 1000)
    return validation.reached(Way(before, after, diff(before, after), Facts()), loaded.references)


def test_what_names_a_changed_field_is_tried_and_nothing_else(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    write_all(site)
    site.write("ticket.yaml", "list: ticket\nof: ticket\ntitle: Tickets\ncolumns: {title: {}}\n")
    found = reached(site, "size.yaml", "change: table company\nfields:\n  size: {required: true}\n")
    assert ("query", "big_companies") in found and ("list", "company") in found and ("list", "ticket") not in found


def test_where_only_texts_changed_nothing_is_tried(tmp_path: Path) -> None:
    site = Site.make(tmp_path)
    write_all(site)
    assert reached(site, "size.yaml", "change: table company\nfields:\n  size: {title: People}\n") == []
    assert reached(site, "query.yaml", QUERY.replace("Big companies", "Large companies")) == []


def break_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another release of core, or of the database, might."""
    built = query_sql.Builder.query

    def broken(self: query_sql.Builder, one: Query) -> query_sql.Selected:
        found = built(self, one)
        return replace(found, order=(*found.order, text("nothing_of_that_name")))
    monkeypatch.setattr(query_sql.Builder, "query", broken)


def test_what_the_database_does_not_understand_stops_the_plan_with_its_place(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all(system.site)
    system.site.write("role.yaml", "role: clerk\ntitle: Clerk\ngrants:\n  company: {read: true}\n")
    assert system.plan().plan.problems == ()
    break_queries(monkeypatch)
    said, *rest = map(str, system.plan().plan.problems)
    assert rest == []
    assert said.endswith('column "nothing_of_that_name" does not exist') and "query.yaml:1:1: " in said
    assert "the database does not understand query big_companies" in said


@pytest.mark.parametrize("site", [
    {"query.yaml": None, "other.yaml": "change: table company\ntitle: Firm\n"},             # the query itself returns
    {"size.yaml": "change: table company\nfields:\n  size: {required: true}\n"}])            # what it names changes
def test_what_is_understood_no_longer_is_told_first_on_a_way_back_and_keeps_nobody_from_it(
        system: Live, monkeypatch: pytest.MonkeyPatch, site: dict[str, str | None]) -> None:
    write_all(system.site)
    system.promote()
    for name, content in site.items():
        system.site.write(name, content)
    system.promote()
    rollback = partial(service.plan_rollback, system.settings, system.engine, plugins=system.plugins)
    assert not any("does not understand" in str(one) for one in rollback().plan.warnings)
    break_queries(monkeypatch)
    found = rollback().plan
    assert found.problems == () and found.steps
    [said] = [str(one) for one in found.warnings if "does not understand" in str(one)]
    assert "query big_companies" in said and said.endswith('column "nothing_of_that_name" does not exist')
    assert system.rollback() == 2


def test_a_way_back_fills_nothing_anew(system: Live) -> None:
    """What a field got when it became required was for the records that were there then."""
    system.site.write("size.yaml", "change: table company\nfields:\n  size: {required: true, fill: 7}\n")
    system.promote()
    system.site.write("size.yaml", None)
    system.promote()
    empty = system.create("company", name="Later")
    assert system.rollback(2) == 2
    assert system.read("company", empty)["size"] is None
    assert not [step for step in system.sql("select kind from bm.step where promotion_id = 4") if step == ("fill",)]


def test_requirement_10_a_plan_takes_no_lock_that_people_feel_and_leaves_nothing_behind(system: Live) -> None:
    system.create("company", name="Firm")
    write_all(system.site)
    system.site.write("company.yaml", "change: table company\nfields:\n  size: {required: true}\n"
                                      "  region: {type: text, required: true}\nunique:\n  once: {fields: [name]}\n")
    modes: set[tuple[str, str]] = set()

    def look(connection: object, cursor: object, *rest: object) -> None:
        driver = connection.connection.driver_connection                    # type: ignore[attr-defined]
        with driver.cursor() as own:
            own.execute("select n.nspname, l.mode from pg_locks l join pg_class c on c.oid = l.relation "
                        "join pg_namespace n on n.oid = c.relnamespace where l.pid = pg_backend_pid() "
                        "and n.nspname in ('ed', 'bm', 'sys')")
            modes.update(own.fetchall())
    event.listen(system.engine, "after_cursor_execute", look)
    before = system.sql("select count(*) from pg_class")
    system.plan()
    event.remove(system.engine, "after_cursor_execute", look)
    assert ("ed", "AccessShareLock") in modes
    assert {mode for _, mode in modes} == {"AccessShareLock"}
    assert system.sql("select count(*) from pg_class") == before


def test_the_same_input_gives_the_same_bytes(system: Live) -> None:
    write_all(system.site)
    one, other = system.plan().plan, system.plan().plan
    assert canonical(one.as_json()) == canonical(other.as_json()) and one.hash == other.hash
