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


def test_a_kind_that_requires_what_its_base_has_fills_its_own_records_and_no_others_lose_theirs(system: Live) -> None:
    text = ADDON["party.yaml"].rstrip() + "\n          size: {type: text}\n"
    system.site.addon("party.yaml", text)
    system.promote()
    system.create("ticket", title="Plain", size="big")
    system.create("deal", title="Deal")
    system.create("deal", title="Other", size="small")
    system.site.addon("deal.yaml", ADDON["deal.yaml"].rstrip() + "\n          size: {required: true, fill: new}\n")
    system.promote(answers={})
    assert values(system, "size", "ticket", "title") == {"Plain": "big", "Deal": "new", "Other": "small"}


def test_a_fill_that_was_said_long_ago_does_not_keep_choices_from_being_renamed(firms: Live) -> None:
    fields(firms, "rank: {type: choice, of: company_kind, fill: partner}")
    firms.promote()
    firms.site.addon("kinds.yaml", ADDON["kinds.yaml"].replace("partner: {", "ally: {was: partner, "))
    firms.promote()
    assert set(values(firms, "rank").values()) == {"ally"}


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


def company(system: Live, called: str, **changes: Any) -> int:
    """A company by its name, changed."""
    row = system.records(lambda records: records.page("company", ["id", "_version"], filters={"name": called}).records)[0]
    if changes:
        version = system.read("company", row["id"])["_version"]
        system.records(lambda records: records.update("company", [{"id": row["id"], "_version": version, **changes}]))
    return int(row["id"])


@pytest.mark.parametrize("kind", ["fill", "prepare", "flip"])
def test_what_people_write_while_it_is_filled_is_not_missed(firms: Live, kind: str) -> None:
    """Changes of the record, of the record it links to, of lines; records that come, go and move."""
    fields(firms, "deals: {type: lines, of: deal, by: company}")
    firms.promote()
    acme, north = company(firms, "Acme"), company(firms, "Acme North")
    one = firms.create("deal", title="One", company=acme, amount=Decimal(5))
    two = firms.create("deal", title="Two", company=acme, amount=Decimal(7))
    fields(firms, "deals: {type: lines, of: deal, by: company}", "double: {type: integer, fill: =size * 2}",
           "total: {type: decimal, fill: =sum(deals.amount)}", "boss: {type: text, fill: =parent.name}",
           "bosses: {type: text, fill: =parent.parent.name}", "plain: {type: integer, fill: 7}")
    work = []

    def write(step: Any) -> None:
        if step.kind != kind or work:
            return
        work.append(step)
        company(firms, "Acme", size=50, name="Acme SE")
        company(firms, "Nobody", parent=north)
        firms.create("company", name="New", size=1)
        for deal, change in ((one, {"amount": Decimal(6)}), (two, {"company": north})):
            version = firms.read("deal", deal)["_version"]
            firms.records(lambda records: records.update("deal", [{"id": deal, "_version": version, **change}]))  # noqa: B023
        firms.create("deal", title="Three", company=north, amount=Decimal(1))

    firms.promote(say=write)
    assert work
    assert values(firms, "double") == {"Acme SE": 100, "Acme North": 6, "Nobody": None, "New": 2}
    assert values(firms, "total") == {"Acme SE": 6, "Acme North": 8, "Nobody": 0, "New": 0}
    assert values(firms, "boss") == {"Acme SE": None, "Acme North": "Acme SE", "Nobody": "Acme North", "New": None}
    assert values(firms, "bosses")["Nobody"] == "Acme SE"
    assert set(values(firms, "plain").values()) == {7}
    assert firms.sql("select count(*) from sys.touched") == [(0,)]
    assert firms.sql("select count(*) from pg_trigger where tgname like 'fill%'") == [(0,)]


MEMBER = """
    table: seat
    title: Seat
    plural: Seats
    display: "{role}"
    fields:
      role: {type: text}
      firm: {type: link, to: company}
      deal: {type: link, to: deal}
    """
NOTE = """
    table: note
    title: Note
    plural: Notes
    display: "{about}"
    fields:
      text: {type: text}
      about: {type: link, to: [company, ticket]}
      what: {type: any_link}
    """
THROUGH = "deals: {type: links, to: deal, through: seat}"


@pytest.mark.parametrize("kind", ["none", "fill", "flip"])
def test_links_through_a_table_may_be_read_while_people_write(firms: Live, kind: str) -> None:
    firms.site.addon("seat.yaml", MEMBER)
    fields(firms, THROUGH)
    firms.promote()
    acme, north = company(firms, "Acme"), company(firms, "Acme North")
    one = firms.create("deal", title="One", amount=Decimal(5))
    two = firms.create("deal", title="Two", amount=Decimal(7))
    seats = [firms.create("seat", role="a", firm=firm, deal=deal) for firm, deal in ((acme, one), (acme, two), (north, two))]
    fields(firms, THROUGH, "total: {type: decimal, fill: =sum(deals.amount)}",
           "number: {type: integer, fill: =count(deals)}", "up: {type: decimal, fill: =sum(parent.deals.amount)}")
    work = []

    def change(table: str, record: int, **values: Any) -> None:
        version = firms.read(table, record)["_version"]
        firms.records(lambda records: records.update(table, [{"id": record, "_version": version, **values}]))

    def write(step: Any) -> None:
        if step.kind != kind or work:
            return
        work.append(step)
        change("deal", two, amount=Decimal(8))
        change("seat", seats[0], firm=north)
        firms.records(lambda records: records.delete("seat", [seats[1]]))
    firms.promote(say=write)
    assert bool(work) == (kind != "none")
    totals, numbers = ({"Acme": 12, "Acme North": 7}, {"Acme": 2, "Acme North": 1}) if not work else (
        {"Acme": 0, "Acme North": 13}, {"Acme": 0, "Acme North": 2})
    assert values(firms, "total") == {**totals, "Nobody": 0}
    assert values(firms, "number") == {**numbers, "Nobody": 0}
    assert values(firms, "up")["Acme North"] == totals["Acme"]


@pytest.mark.parametrize("link", ["about", "what"])
def test_a_link_to_several_tables_may_be_read(firms: Live, link: str) -> None:
    firms.site.addon("note.yaml", NOTE)
    firms.promote()
    acme = company(firms, "Acme")
    firms.create("note", text="to a firm", **{link: acme})
    firms.create("note", text="to none")
    more = f"said: {{type: text, fill: ={link}.company.name}}\n      boss: {{type: text, fill: ={link}.company.parent.name}}"
    firms.site.addon("note.yaml", NOTE.replace("text: {type: text}", "text: {type: text}\n      " + more))
    work = []

    def write(step: Any) -> None:
        if step.kind == "flip" and not work:
            work.append(step)
            company(firms, "Acme", name="Acme SE", parent=company(firms, "Nobody"))
    firms.promote(say=write)
    assert work and values(firms, "said", "note", "text") == {"to a firm": "Acme SE", "to none": None}
    assert values(firms, "boss", "note", "text") == {"to a firm": "Nobody", "to none": None}


def test_what_nobody_could_follow_is_refused(firms: Live) -> None:
    fields(firms, 'rank: {type: integer, fill: "=count(all.company[size > outer.size])"}')
    assert "cannot be followed while people write" in told(firms)[0]


def test_a_value_that_comes_in_meanwhile_and_does_not_fit_ends_it_before_anything_is_seen(firms: Live) -> None:
    before, columns = firms.version, firms.columns()
    fields(firms, "short: {type: text, max: 10, fill: =name}")

    def write(step: Any) -> None:
        if step.kind == "fill":
            company(firms, "Nobody", name="A name that is too long")
    with pytest.raises(Refused, match="company.short of record [0-9]+: 'A name that is too long'"):
        firms.promote(say=write)
    assert firms.version == before and firms.columns() == columns
