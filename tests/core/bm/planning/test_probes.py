"""What the records say against a change: counted with samples, only where the change touches them, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from sqlalchemy import event

from core.bm.changes import retyping
from core.bm.inputs.facts import SAMPLES, SECONDS, Finding, gather
from core.bm.inputs.way import Way
from core.bm.planning import probes
from core.bm.versions.diff import diff
from core.bm.versions.identities import assign
from core.bm.versions.state import state_of
from core.definition import load
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON


def found(system: Live) -> Mapping[tuple[str, str], Finding]:
    """What is found against the files as they are now."""
    from core.bm.versions import live
    with system.engine.connect() as connection:
        base = live.state(connection, live.current(connection)[0], system.plugins)
        facts = gather(connection)
        loaded = load(system.settings.addon_folders, system.settings.metadata, system.plugins)
        target = assign(base, state_of(loaded.must(), live.contents(loaded, system.plugins).hash), facts.parked,
                        facts.first_new)
        return probes.look(connection, Way(base, target, diff(base, target), facts))


def said(system: Live) -> str:
    made = system.plan().plan
    return "\n".join(map(str, (*made.problems, *made.notes)))


def change(system: Live, text: str) -> None:
    system.site.write("company.yaml", "change: table company\n" + text)


def test_a_change_that_touches_no_record_looks_at_none(system: Live) -> None:
    system.create("company", name="Firm")
    change(system, "title: Firm\nfields:\n  size: {title: People}\n  region: {type: text}\n")
    assert found(system) == {}


def test_empty_values_are_counted_by_the_kinds_concerned_trash_and_all(system: Live) -> None:
    for title in ("One", "Two"):
        system.create("deal", title=title)
    system.create("ticket", title="No deal")
    gone = system.create("deal", title="Gone", amount=None)
    system.records(lambda records: records.delete("deal", [gone]))
    system.create("deal", title="Full", amount=3)
    system.site.write("deal.yaml", "change: table deal\nfields:\n  amount: {required: true}\n")
    empty = found(system)["empty", "deal.amount"]
    assert empty.count == 3 and [one.title for one in empty.samples] == ["One", "Two", "Gone"]


def test_no_more_than_a_few_records_are_named(system: Live) -> None:
    for number in range(7):
        system.create("company", name=f"Firm {number}")
    change(system, "fields:\n  size: {required: true}\n")
    empty = found(system)["empty", "company.size"]
    assert (empty.count, len(empty.samples)) == (7, SAMPLES)
    asked, = system.plan().plan.questions
    assert asked.count == 7


def test_what_is_required_on_a_condition_is_a_note(system: Live) -> None:
    system.create("company", name="Customer", kind="customer")
    system.create("company", name="Partner", kind="partner")
    change(system, "fields:\n  size: {required: kind == 'customer'}\n")
    assert system.plan().plan.questions == ()
    assert "company.size is required and empty in 1 record" in said(system) and "Customer" in said(system)


def test_values_longer_than_a_lowered_max_stop_the_plan_with_place_and_samples(system: Live) -> None:
    system.create("company", name="x" * 60)
    system.create("company", name="short")
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("max: 100", "max: 50"))
    assert found(system)["longer", "company.name.max"].count == 1
    assert 'company.yaml:6:3: max of "company.name" cannot go down to 50 because of 1 record' in said(system)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("max: 100", "max: 60"))
    assert system.plan().plan.problems == ()


def test_more_decimals_than_a_lowered_scale_stop_the_plan(system: Live) -> None:
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("{type: decimal}", "{type: decimal, scale: 3}"))
    system.promote()
    system.create("deal", title="Fine", amount=Decimal("1.500"))
    system.site.addon("deal.yaml", ADDON["deal.yaml"].replace("{type: decimal}", "{type: decimal, scale: 1}"))
    assert found(system) == {}
    system.create("deal", title="Finer", amount=Decimal("1.525"))
    assert "scale of \"deal.amount\" cannot go down to 1 because of 1 record" in said(system) and "Finer" in said(system)


def test_equal_records_stop_a_unique_rule_as_its_index_would_see_them(system: Live) -> None:
    first = system.create("company", name="Same", kind="customer")
    second = system.create("company", name="Same", kind="partner")
    system.create("company", name="Empty")
    system.create("company", name="Empty too")
    rule = "unique:\n  once: {{fields: [{0}]{1}}}\n"
    change(system, rule.format("name", ""))
    assert f'"company.once" cannot be unique: records share a value (Same: {first} Same = {second} Same); ' in said(system)
    change(system, rule.format("name", ", where: kind == 'customer'"))
    assert system.plan().plan.problems == ()                    # the other one is not concerned
    change(system, rule.format("size", ""))
    assert system.plan().plan.problems == ()                    # nothing is equal to nothing
    change(system, rule.format("name", ""))
    system.records(lambda records: records.delete("company", [first]))
    assert system.plan().plan.problems == ()                    # the trash is left out


def test_of_equal_records_the_value_and_who_shares_it_are_named(system: Live) -> None:
    ids = [system.create("company", name=f"Firm {number}", size=number // 2, kind="customer") for number in range(14)]
    more = [system.create("company", name="Same", size=0, kind="customer") for _ in range(3)]
    change(system, "unique:\n  once: {fields: [kind, size]}\n")
    shared = found(system)["duplicates", "company.once"]
    assert shared.count == 7 and len(shared.samples) == SAMPLES
    assert [(one.title, [each.id for each in one.sharing]) for one in shared.samples[:2]] == [
        ("customer, 0", [*ids[:2], more[0]]), ("customer, 1", ids[2:4])]
    assert f"records share 7 values (customer, 0: {ids[0]} Firm 0 = {ids[1]} Firm 1 = " in said(system)


NOTE = """
    table: note
    title: Note
    plural: Notes
    display: "{title}"
    fields:
      title: {type: text}
      about: {type: link, to: [company, ticket, note]}
    """


def test_links_that_would_lead_nowhere_are_counted(system: Live) -> None:
    system.site.write("note.yaml", NOTE)
    system.promote()
    ticket = system.create("ticket", title="Problem")
    system.create("note", title="Astray", about=ticket)
    system.create("note", title="Right", about=system.create("company", name="Firm"))
    system.site.write("note.yaml", NOTE.replace("[company, ticket, note]", "[company, note]"))
    orphans = found(system)["orphans", "note.about"]
    assert (orphans.count, [one.title for one in orphans.samples]) == (1, ["Astray"])


def test_records_against_a_new_rule_are_a_note(system: Live) -> None:
    system.create("company", name="Small", size=1)
    system.create("company", name="Large", size=100)
    change(system, "rules:\n  large: {check: size > 10, message: Too small.}\n")
    assert "rule company.large is not met by 1 record" in said(system) and "Small" in said(system)
    assert system.plan().plan.problems == ()


def test_requirement_10_all_that_speaks_against_a_change_is_told_in_one_run(system: Live) -> None:
    for number in range(2):
        system.create("company", name="y" * 60, size=number)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("max: 100", "max: 50"))
    change(system, "unique:\n  once: {fields: [name]}\nrules:\n  large: {check: size > 10, message: Too small.}\n")
    text = said(system)
    for part in ("cannot go down", "cannot be unique", "rule company.large is not met"):
        assert part in text


def test_each_look_has_an_end_of_time_and_a_large_table_is_estimated(system: Live,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        system.create("company", name=f"Firm {number}")
    change(system, "fields:\n  size: {required: true}\n")
    limits: list[object] = []

    def watch(connection: object, cursor: object, statement: str, parameters: object, *rest: object) -> None:
        if "statement_timeout" in statement:
            limits.append(parameters)
    event.listen(system.engine, "before_cursor_execute", watch)
    found(system)
    assert [one["limit"] for one in limits] == [str(round(SECONDS * 1000))]     # type: ignore[index]
    run = probes._run

    def slow(connection: object, columns: object, one: object) -> Finding:
        if "tablesample" not in str(columns.source).lower():                    # type: ignore[attr-defined]
            connection.exec_driver_sql("set local statement_timeout = 20")      # type: ignore[attr-defined]
            inner = connection.begin_nested()                                   # type: ignore[attr-defined]
            try:
                connection.exec_driver_sql("select pg_sleep(5)")                # type: ignore[attr-defined]
            finally:
                inner.rollback()
        return run(connection, columns, one)                                    # type: ignore[arg-type]
    monkeypatch.setattr(probes, "_run", slow)
    assert found(system)["empty", "company.size"].partial
    asked, = system.plan().plan.questions
    assert asked.key == "fill company.size"


def test_where_only_a_part_could_be_looked_at_it_is_asked_and_says_so(
        system: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    system.create("company", name="Acme", size=3)
    change(system, "fields:\n  size: {type: text}\n")
    assert not system.plan().plan.questions
    monkeypatch.setattr(retyping, "SECONDS", -1)
    asked, = system.plan().plan.questions
    assert (asked.key, asked.count) == ("convert company.size", 0)
    assert "time for a part of the records only" in str(asked.words)
