"""What records get that are there: `fill:` of a field, in the words of the version before, worked out beside the users."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

COMPANY = ADDON["company.yaml"]


def fields(system: Live, *lines: str, without: str = "", table: str = "company") -> None:
    """The table of the addon with other fields: `without` one, and more lines."""
    text = ADDON[f"{table}.yaml"]
    kept = [line for line in text.splitlines() if not without or f"  {without}:" not in line]
    system.site.addon(f"{table}.yaml", "\n".join(kept).rstrip() + "".join(f"\n          {line}" for line in lines) + "\n")


def values(system: Live, name: str, table: str = "company", key: str = "name") -> dict[str, Any]:
    rows = system.records(lambda records: records.page(table, [key, name]).records)
    return {row[key]: row[name] for row in rows}


def told(system: Live) -> list[str]:
    return [str(problem) for problem in system.plan().plan.problems]


@pytest.fixture
def firms(system: Live) -> Live:
    acme = system.create("company", name="Acme", size=10, kind="customer")
    system.create("company", name="Acme North", size=3, parent=acme)
    system.create("company", name="Nobody")
    return system


def test_a_new_field_gets_a_literal_or_what_is_worked_out_of_the_record(firms: Live) -> None:
    fields(firms, "grade: {type: integer, fill: 5}", "double: {type: integer, fill: =size * 2}",
           "label: {type: text, fill: \"=concat(name, ' (', text(size), ')')\"}",
           "sort: {type: choice, of: company_kind, fill: =kind}", "up: {type: link, to: company, fill: =parent}",
           "share: {type: decimal, scale: 2, fill: =size / 3}")
    firms.promote()
    assert values(firms, "grade") == {"Acme": 5, "Acme North": 5, "Nobody": 5}
    assert values(firms, "double") == {"Acme": 20, "Acme North": 6, "Nobody": None}
    assert values(firms, "label") == {"Acme": "Acme (10)", "Acme North": "Acme North (3)", "Nobody": "Nobody ()"}
    assert values(firms, "sort") == {"Acme": "customer", "Acme North": None, "Nobody": None}
    assert values(firms, "up")["Acme North"] == values(firms, "parent")["Acme North"] is not None
    assert values(firms, "share") == {"Acme": Decimal("3.33"), "Acme North": Decimal("1.00"), "Nobody": None}


def test_neither_version_nor_history_tells_of_it_and_lists_sort_by_it(firms: Live) -> None:
    before = firms.sql("select id, _version, changed_on from ed.company_" + _number(firms) + " order by id")
    count = firms.sql("select count(*) from sys.history")
    fields(firms, "label: {type: text, fill: =name}")
    firms.promote()
    assert firms.sql("select id, _version, changed_on from ed.company_" + _number(firms) + " order by id") == before
    assert firms.sql("select count(*) from sys.history") == count
    ordered = firms.records(lambda records: records.page("company", ["label"], order=["-label"]).records)
    assert [row["label"] for row in ordered] == ["Nobody", "Acme North", "Acme"]


def _number(system: Live) -> str:
    return str(system.sql("select id from bm.member where path = 'company'")[0][0])


def test_a_field_that_goes_in_the_same_promotion_may_be_read(firms: Live) -> None:
    fields(firms, "staff: {type: text, fill: =text(size)}", without="size")
    assert firms.plan().plan.questions == ()
    firms.promote()
    assert values(firms, "staff") == {"Acme": "10", "Acme North": "3", "Nobody": None}


def test_links_and_lines_may_be_read(firms: Live) -> None:
    fields(firms, "deals: {type: lines, of: deal, by: company}")
    firms.promote()
    acme = next(iter(firms.records(lambda records: records.page("company", ["id"], filters={"name": "Acme"}).records)))
    for amount in (5, 7):
        firms.create("deal", title=str(amount), company=acme["id"], amount=Decimal(amount))
    text = ADDON["company.yaml"] + "  deals: {type: lines, of: deal, by: company}\n"
    firms.site.addon("company.yaml", text.rstrip(" ") + "          total: {type: decimal, fill: =sum(deals.amount)}\n"
                     "          boss: {type: text, fill: =parent.name}\n")
    firms.promote()
    assert values(firms, "total")["Acme"] == 12 and values(firms, "boss")["Acme North"] == "Acme"


def test_records_in_the_trash_are_filled_too(firms: Live) -> None:
    gone = firms.create("company", name="Gone", size=4)
    firms.records(lambda records: records.delete("company", [gone]))
    fields(firms, "double: {type: integer, fill: =size * 2}")
    firms.promote()
    firms.records(lambda records: records.restore("company", [gone]))
    assert firms.read("company", gone)["double"] == 8


def test_a_required_field_is_filled_from_an_expression_and_then_kept_by_the_database(firms: Live) -> None:
    fields(firms, "label: {type: text, required: true, fill: =name}")
    plan = firms.plan().plan
    assert plan.questions == () and [step.kind for step in plan.steps if step.kind in ("fill", "tighten")] == [
        "fill", "tighten"]
    firms.promote()
    assert values(firms, "label") == {"Acme": "Acme", "Acme North": "Acme North", "Nobody": "Nobody"}
    assert firms.sql("select convalidated from pg_constraint where conname like 'rq%'") == [(True,)]


def test_a_field_that_becomes_required_is_filled_where_it_is_empty(firms: Live) -> None:
    fields(firms, "size: {type: integer, required: true, fill: =length(name)}", without="size")
    first = firms.version
    firms.promote()
    assert values(firms, "size") == {"Acme": 10, "Acme North": 3, "Nobody": 6}
    firms.rollback(first)
    assert values(firms, "size") == {"Acme": 10, "Acme North": 3, "Nobody": 6}


def test_a_default_fills_what_becomes_required_and_nothing_else(firms: Live) -> None:
    fields(firms, "size: {type: integer, required: true, default: 1}", "plain: {type: integer, default: 2}",
           "must: {type: integer, required: true, default: =3}", without="size")
    firms.promote()
    assert values(firms, "size") == {"Acme": 10, "Acme North": 3, "Nobody": 1}
    assert values(firms, "plain") == {"Acme": None, "Acme North": None, "Nobody": None}
    assert values(firms, "must") == {"Acme": 3, "Acme North": 3, "Nobody": 3}


def test_an_answer_comes_before_what_the_definition_says(firms: Live) -> None:
    fields(firms, "must: {type: integer, required: true}")
    assert [question.key for question in firms.plan().plan.questions] == ["fill company.must"]
    planned = firms.plan(answers={"fill company.must": "=size"})
    firms.promote(planned=planned)
    assert values(firms, "must") == {"Acme": 10, "Acme North": 3, "Nobody": None}


def test_fill_says_what_a_field_of_another_type_holds(firms: Live) -> None:
    fields(firms, "size: {type: text, fill: \"=concat('about ', text(size))\"}", without="size")
    firms.promote()
    assert values(firms, "size") == {"Acme": "about 10", "Acme North": "about 3", "Nobody": "about"}


@pytest.mark.parametrize(("said", "problem"), [
    ("{type: integer, fill: =sise * 2}", 'did you mean "size"?'),
    ("{type: integer, fill: =name}", "a whole number is expected"),
    ("{type: link, to: company, fill: =kind}", "is expected"),
    ("{type: choice, of: company_kind, fill: =size}", "a text or a choice is expected here"),
])
def test_what_the_version_before_does_not_know_is_told_with_its_place(firms: Live, said: str, problem: str) -> None:
    fields(firms, f"more: {said}")
    (one,) = told(firms)
    assert problem in one and "company.yaml:10:" in one, one


def test_a_value_that_the_field_does_not_take_is_refused_with_its_record(firms: Live) -> None:
    fields(firms, "short: {type: text, max: 5, fill: =name}")
    (one,) = told(firms)
    assert "company.short" in one and "Acme North" in one and "2 records" in one, one
    fields(firms, "other: {type: choice, of: company_kind, fill: =name}")
    assert "is not one of the choices" in told(firms)[0]
    with pytest.raises(Refused):
        firms.promote()


def test_a_kind_may_fill_what_its_base_declares(system: Live) -> None:
    system.create("ticket", title="Plain")
    system.create("deal", title="Deal", amount=Decimal(3))
    text = ADDON["party.yaml"].rstrip() + "\n          size: {type: text, fill: ticket}\n"
    system.site.addon("party.yaml", text)
    system.site.addon("deal.yaml", ADDON["deal.yaml"].rstrip() + "\n          size: {fill: =text(amount)}\n")
    system.promote()
    assert values(system, "size", "ticket", "title") == {"Plain": "ticket", "Deal": "3"}


def test_what_comes_back_keeps_its_values_and_what_came_meanwhile_is_filled(firms: Live) -> None:
    first = firms.version
    fields(firms, "label: {type: text, fill: =name}")
    firms.promote()
    acme = next(iter(firms.records(lambda records: records.page("company", ["id"], filters={"name": "Acme"}).records)))
    version = firms.read("company", acme["id"])["_version"]
    firms.records(lambda records: records.update("company", [{"id": acme["id"], "_version": version, "label": "Mine"}]))
    firms.rollback(first)
    firms.create("company", name="New")
    firms.promote()
    assert values(firms, "label") == {"Acme": "Mine", "Acme North": "Acme North", "Nobody": "Nobody", "New": "New"}
