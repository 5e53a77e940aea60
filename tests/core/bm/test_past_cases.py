"""Cases that befell others at promotions."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from core.bm import service
from core.bm.planning.describe import needs_thought
from core.ed.access import Gate
from core.ed.records import Records
from core.ed.session import Principals
from core.errors import TesseraError
from tests.core.bm.conftest import Live
from tests.core.bm.drift.test_drift import table_of
from tests.unchanged import unchanged

TWO = {"a.yaml": "change: table company\nfields: {region: {type: text}, zone: {type: text}}\n",
       "b.yaml": "change: table ticket\nfields: {urgency: {type: integer}}\n"}


def write(system: Live, files: dict[str, str]) -> None:
    for name, content in files.items():
        system.site.write(name, content)


def test_past_case_49_each_table_is_changed_by_a_short_transaction_of_its_own(system: Live) -> None:
    write(system, TWO)
    system.promote()
    expanded = system.sql("select s.target, count(*) from bm.statement t join bm.step s using (promotion_id)"
                          " where s.number = t.step and s.kind = 'expand' and promotion_id = (select max(id) from"
                          " bm.promotion) group by s.number, s.target order by s.target")
    assert expanded == [("company", 1), ("ticket", 1)]                  # two columns are one ALTER


def test_past_case_49_and_requirement_1_nobody_waits_behind_a_promotion_that_waits(system: Live) -> None:
    """Somebody reads for long; the promotion gives way until that is over, and all others go on reading."""
    system.create("company", name="A")
    table, reading, done = table_of(system, "company"), threading.Event(), threading.Event()
    write(system, TWO)

    def promote() -> None:
        reading.wait()
        system.promote()
        done.set()
    thread = threading.Thread(target=promote)
    thread.start()
    with system.engine.connect() as long:
        long.execute(text(f'select count(*) from ed."{table}"'))        # holds its lock until the transaction ends
        reading.set()
        for _ in range(20):
            with system.engine.begin() as other:
                other.execute(text("set local statement_timeout = '2s'"))
                assert other.execute(text(f'select count(*) from ed."{table}"')).scalar_one() == 1
            done.wait(0.1)
        assert not done.is_set() and system.version == 1
    thread.join(60)
    assert done.is_set() and system.version == 2


def test_past_case_49_what_fails_halfway_leaves_nothing_behind(system: Live) -> None:
    """Two tables change, and two records are equal in what is to be unique."""
    for _ in range(2):
        system.create("ticket", title="T")
    columns = system.columns()
    write(system, {**TWO, "c.yaml": "change: table ticket\nunique: {title: {fields: [title]}}\n"})
    with pytest.raises(TesseraError):
        system.promote()
    assert system.version == 1 and system.columns() == columns
    assert system.sql("select count(*) from sys.physical where state <> 'live'") == [(0,)]


def test_past_case_49_promoting_twice_changes_nothing_the_second_time(system: Live) -> None:
    write(system, TWO)
    version = system.promote()
    with unchanged(system.engine):
        assert system.plan().plan.empty and system.promote() == version


def test_past_case_20_a_right_follows_its_field_through_a_rename_and_a_plan_tells_when_it_means_another(
        system: Live) -> None:
    system.site.write("clerk.yaml", "role: clerk\ntitle: Clerk\ngrants: {company: {read: true},"
                      " company.size: {read: false}}\n")
    system.promote()
    assert hidden(system, "size") and not hidden(system, "name")
    system.site.addon("company.yaml", company("extent: {type: integer, was: size}"))
    system.promote()
    assert hidden(system, "extent")
    system.site.addon("company.yaml", company("extent: {type: integer, was: size}", "size: {type: text, fresh: true}"))
    told = [change for change in system.plan().plan.changes if (change.kind, change.name) == ("role", "clerk")]
    assert "company.extent" in str(told) and "company.size" in str(told)


def test_past_case_20_values_that_go_on_under_a_name_that_no_restriction_means_are_told_as_widened_rights(
        system: Live) -> None:
    """The restriction stays as it is written; the one field takes another name, a new one takes its own."""
    system.site.write("clerk.yaml", "role: clerk\ntitle: Clerk\ngrants: {company: {read: true},"
                      " company.size: {read: false}}\n")
    system.promote()
    system.site.addon("company.yaml", company("extent: {type: integer, was: size}", "size: {type: text, fresh: true}"))
    plan = system.plan().plan
    first = next(iter(plan.warnings))
    assert str(first).startswith("rights are widened: role clerk may read what it could not: company.extent")
    assert needs_thought(plan)


def test_past_case_20_a_rename_alone_widens_nothing(system: Live) -> None:
    system.site.write("clerk.yaml", "role: clerk\ntitle: Clerk\ngrants: {company: {read: true},"
                      " company.size: {read: false}}\n")
    system.promote()
    system.site.addon("company.yaml", company("extent: {type: integer, was: size}"))
    assert not [one for one in system.plan().plan.warnings if "widened" in str(one)]


CLERK = "role: clerk\ntitle: Clerk\ngrants: {company: {read: true}, company.size: {read: false}}\n"


@pytest.mark.parametrize(("fill", "told"), [
    ("=size", True), ("=1 if size > 3 else 2", True), ("=parent.size", True),
    ("=1", False), ("=2 if name == 'x' else 1", False)])
def test_past_case_1_a_plan_tells_that_hidden_values_get_into_a_field_that_is_shown(
        system: Live, fill: str, told: bool) -> None:
    system.site.write("clerk.yaml", CLERK)
    system.promote()
    system.site.addon("company.yaml", company("size: {type: integer}", f'rank: {{type: integer, fill: "{fill}"}}'))
    plan = system.plan().plan
    assert not plan.problems and not plan.questions
    said = [str(one) for one in plan.warnings]
    wanted = "rights are widened: company.rank gets its values from what role clerk may read less of: company.size"
    assert (wanted in said) is told and needs_thought(plan) is told


def test_past_case_1_values_that_stay_as_hidden_as_they_were_are_no_warning(system: Live) -> None:
    system.site.write("clerk.yaml", CLERK)
    system.promote()
    system.site.addon("company.yaml", company("size: {type: integer}", 'rank: {type: integer, fill: "=size"}'))
    system.site.write("clerk.yaml", CLERK.replace("}}", "}, company.rank: {read: false}}"))
    assert not system.plan().plan.warnings


def test_past_case_20_a_way_back_tells_which_rights_it_widens(system: Live) -> None:
    first = system.version
    system.site.write("clerk.yaml", CLERK.replace("read: false", "read: true") + "may: [plan, promote]\n")
    more = system.promote()
    system.site.write("clerk.yaml", CLERK)
    system.promote()
    said = [str(one) for one in service.plan_rollback(system.settings, system.engine, more).plan.warnings]
    assert said == ["rights are widened: role clerk may read what it could not: company.size (places: 1)",
                    "rights are widened: holders of role clerk may plan, promote from then on"]
    assert not service.plan_rollback(system.settings, system.engine, first).plan.warnings


def hidden(system: Live, name: str) -> bool:
    """Whether a clerk may not read a field of companies."""
    def ask(records: Records) -> bool:
        gate = Gate.of(records.session.system, Principals(user_id=1, roles=frozenset({"clerk"})))
        return gate.hidden("company", name)
    return bool(system.records(ask))


def company(*fields: str) -> str:
    """The addon's companies with these fields."""
    own = ("name: {type: text, max: 100}", *fields, "kind: {type: choice, of: company_kind}",
           "parent: {type: link, to: company}")
    return "table: company\ntitle: Company\nplural: Companies\ndisplay: '{name}'\nfields:\n" + "".join(
        f"  {field}\n" for field in own)
