"""Queries give what plain Python makes of the records that the same person reads, in one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from core.definition.kinds.parameters import Amount
from core.ed import query, query_values
from core.ed.query import Result
from core.ed.session import Session
from core.errors import BadRequest, Denied, Invalid, NotFound
from core.types.base import Locale
from tests.core.ed.world import World
from tests.fixtures.asking import asking
from tests.fixtures.sample import session_of

Row = Mapping[str, Any]
READERS = ["ada", "bob", "sue", None]       # None is core itself
ZERO = Decimal(0)


@pytest.fixture(scope="module")
def asked(world: World) -> World:
    """The world under a version with queries."""
    return asking(world)


@pytest.fixture
def session(asked: World, connection: Connection) -> Callable[[str | None], Session]:
    """A session of a person by short name."""
    return lambda user: session_of(asked.system, connection, None if user is None else asked.ids[user])


def deals(asked: World, connection: Connection, user: str | None, *fields: str) -> list[dict[str, Any]]:
    """The deals that somebody reads, as the record service gives them."""
    names = ["name", "amount", "stage", "owner", "company", "close_date", "engage_date", *fields]
    return asked.records(connection, user).page("deal", names, order=["name"]).records


def values(result: Result, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in result.rows]


def total(numbers: Iterable[Decimal | None]) -> Decimal:
    return sum((number for number in numbers if number is not None), ZERO)


def last(number: Decimal | None) -> Decimal:
    return number if number is not None else Decimal(-1)


# Conditions, columns, order


@pytest.mark.parametrize("user", READERS)
def test_conditions_columns_and_order(asked: World, connection: Connection, session: Any, user: str | None) -> None:
    found = query.run(session(user), "deals_of_city", {"city": "Berlin"})
    read = deals(asked, connection, user, "company.city", "weighted", "lines")
    wanted = [r for r in read if r["company.city"] == "Berlin" and r["stage"] != "lost"
              and (r["close_date"] is None or r["close_date"] >= date(2026, 1, 1))
              and ((r["amount"] or 0) >= 400 or any(line["price"] > 8000 for line in r["lines"]))]
    wanted.sort(key=lambda r: (-last(r["amount"]), r["name"]))
    assert wanted and values(found, "name", "amount", "worth", "both", "company_title") == [
        (r["name"], r["amount"], r["weighted"], r["amount"] + r["weighted"], r["company_title"]) for r in wanted]
    assert found.totals == {"amount": total(r["amount"] for r in wanted)}
    assert [(row["_table"], row["_id"]) for row in found.rows] == [("deal", r["id"]) for r in wanted]


def test_parameters_replace_defaults(session: Any) -> None:
    def names(**given: object) -> list[Any]:
        return [row["name"] for row in query.run(session("ada"), "deals_of_city", {"city": "Berlin", **given}).rows]
    assert names() == ["Anvils", "Bolts"]
    assert names(least=Decimal(501)) == ["Anvils"]
    assert names(since=date(2026, 2, 1)) == ["Anvils"]
    assert names(since=date(2027, 1, 1)) == []
    assert names(city="Ulm") == ["Cranes"]


def test_relative_defaults_go_by_the_day_of_the_session(asked: World, connection: Connection) -> None:
    session = session_of(asked.system, connection, asked.ids["ada"])
    assert query_values.values(session, asked.system.model.queries["deals_of_city"], {"city": "Ulm"}) == {
        "city": "Ulm", "least": Decimal("400.00"), "since": date(2026, 1, 1)}


def test_a_query_without_columns_shows_those_of_its_tables_list(asked: World, session: Any) -> None:
    found = query.run(session("ada"), "open_deals")
    assert [column.name for column in found.columns] == list(asked.system.model.list_of("deal").columns)
    assert values(found, "name", "stage") == [("Anvils", "won"), ("Cranes", "won")]


def test_a_base_is_read_with_all_its_kinds(session: Any) -> None:
    found = query.run(session("ada"), "tickets")
    assert values(found, "name", "kind", "severity") == [
        ("Anvils", "deal", None), ("Bolts", "deal", None), ("Cranes", "deal", None), ("Drills", "deal", None),
        ("Leak", "request", 3), ("Ropes", "deal", None)]
    assert {row["_table"] for row in found.rows} == {"deal", "request"}


# Groups


@pytest.mark.parametrize("user", READERS)
def test_groups(asked: World, connection: Connection, session: Any, user: str | None) -> None:
    found = query.run(session(user), "by_stage")
    groups: dict[str, list[Row]] = {}
    for record in deals(asked, connection, user, "lines"):
        groups.setdefault(record["stage"], []).append(record)
    wanted = [(stage, len(rows), total(r["amount"] for r in rows),
               max((r["amount"] for r in rows if r["amount"] is not None), default=None),
               total(r["amount"] for r in rows) / len(rows), sum(len(r["lines"]) for r in rows))
              for stage, rows in groups.items()]
    wanted.sort(key=lambda row: (-row[2], row[0]))
    assert values(found, "stage", "deals", "worth", "largest", "mean", "lines_in_all") == wanted
    assert found.totals == {"deals": sum(len(rows) for rows in groups.values())}


@pytest.mark.parametrize(("least", "owners"), [(1, ["Bob", "Sue"]), (2, ["Bob", "Sue"]), (3, [])])
def test_having_and_paths_that_go_on_from_a_group(session: Any, least: int, owners: list[str]) -> None:
    found = query.run(session("ada"), "by_owner", {"least": least})
    assert [row["owner_title"] for row in found.rows] == owners     # eve has one deal without amount
    bosses = {row["owner_title"]: (row["boss"], row["names"]) for row in found.rows}
    assert bosses.get("Bob", ("Sue", "Anvils, Bolts")) == ("Sue", "Anvils, Bolts")


def test_one_row_of_everything_even_of_nothing(asked: World, connection: Connection, session: Any) -> None:
    read = deals(asked, connection, "bob")
    assert values(query.run(session("bob"), "everything"), "deals", "worth", "first") == [
        (len(read), total(r["amount"] for r in read), min(r["close_date"] for r in read if r["close_date"]))]
    empty = query.run(session("sue"), "no_deals")
    assert values(empty, "deals", "worth", "first") == [(0, 0, None)]


@pytest.mark.parametrize("user", READERS)
def test_running_values_over_groups(asked: World, connection: Connection, session: Any, user: str | None) -> None:
    months: dict[date, int] = {}
    for record in deals(asked, connection, user):
        if record["close_date"]:
            month = record["close_date"].replace(day=1)
            months[month] = months.get(month, 0) + 1
    wanted, so_far = [], 0
    for month in sorted(months):
        so_far += months[month]
        wanted.append((month, month + timedelta(days=31), months[month], so_far))
    assert values(query.run(session(user), "by_month"), "month", "next", "deals", "so_far") == wanted


# Unions, and queries of queries


def account(asked: World, connection: Connection, user: str | None) -> list[tuple[Any, ...]]:
    """The account of Acme in plain Python: day, text, debit, credit, balance."""
    rows = []
    for record in deals(asked, connection, user, "lines"):
        if record["company"] != asked.ids["acme"]:
            continue
        rows.append((record["engage_date"], record["name"], record["amount"] or ZERO, ZERO))
        rows += [(record["close_date"], line["product"], ZERO, line["total"]) for line in record["lines"]]
    rows = sorted((row for row in rows if row[2] or row[3]), key=lambda row: (row[0] or date.max, row[1].lower()))
    balance, found = ZERO, []
    for row in rows:
        balance += row[2] - row[3]
        found.append((*row, balance))
    return found


@pytest.mark.parametrize("user", READERS)
def test_a_union_with_a_running_balance(asked: World, connection: Connection, session: Any, user: str | None) -> None:
    found = query.run(session(user), "account", {"company": asked.ids["acme"]})
    assert values(found, "day", "text", "debit", "credit", "balance") == account(asked, connection, user)
    assert {row["_table"] for row in found.rows} == {"deal", "deal_line"}
    assert [str(column.type) for column in found.columns] == ["date", "text", "money", "money", "money"]


def test_rows_of_a_query_are_grouped_by_another(asked: World, connection: Connection, session: Any) -> None:
    texts: dict[str, Decimal] = {}
    for _, text, debit, _, _ in account(asked, connection, "bob"):
        texts[text] = texts.get(text, ZERO) + debit
    found = query.run(session("bob"), "account_by_text", {"company": asked.ids["acme"]})
    assert values(found, "text", "debit") == sorted(texts.items())
    assert found.totals == {"debit": total(texts.values())}


def test_links_of_rows_are_followed(asked: World, session: Any) -> None:
    found = query.run(session("ada"), "bosses")
    assert values(found, "owner_title", "manager_title", "doubled") == [("Bob", "Sue", 4), ("Sue", None, 4)]


def test_a_limit_counts_before_totals_and_what_reads_the_rows(session: Any) -> None:
    found = query.run(session("ada"), "largest")
    assert values(found, "name", "upto") == [("Cranes", 9000), ("Anvils", 10000)]
    assert found.totals == {"amount": 10000} and not found.more
    assert "place" not in {column.name for column in found.columns}
    assert values(query.run(session("ada"), "of_largest"), "deals", "worth") == [(2, 10000)]


def test_a_query_of_records_narrows_another_and_stands_in_conditions(asked: World, session: Any) -> None:
    found = query.run(session("bob"), "open_now")
    assert values(found, "name", "days_open", "tags_title", "mine") == [
        ("Anvils", timedelta(days=354), ["old", "gold"], True)]
    assert query.run(session("ada"), "open_now", {"stage": "offer"}).rows[0]["name"] == "Bolts"


# Rights


def test_rows_and_links_are_those_that_may_be_read(session: Any) -> None:
    assert [row["name"] for row in query.run(session("bob"), "tickets").rows] == ["Anvils", "Bolts", "Drills"]
    [leak] = [row for row in query.run(session("dan"), "tickets").rows if row["name"] == "Leak"]
    assert leak["client_title"] == "Carl @ "            # peeked at by name, and only that


def test_a_hidden_column_is_left_out_and_a_masked_one_shows_what_may_be_read(session: Any) -> None:
    found = query.run(session("bob"), "earned")
    assert [column.name for column in found.columns] == ["name", "profit", "hint"]      # no margin
    assert values(found, "name", "profit", "hint") == [
        ("Anvils", 100, None), ("Bolts", 50, None), ("Drills", None, "hintdrills")]
    assert found.totals == {"profit": 150}
    assert [column.name for column in query.run(session("dan"), "earned").columns] == ["name", "hint"]


def test_groups_over_a_masked_field_hold_what_may_be_read(session: Any) -> None:
    assert values(query.run(session("bob"), "hinted"), "hint", "deals") == [("hintdrills", 1), (None, 2)]
    assert [row["hints"] for row in query.run(session("bob"), "by_owner").rows] == [0]
    assert [row["hints"] for row in query.run(session("ada"), "by_owner").rows] == [2, 2]


@pytest.mark.parametrize("name", ["margins", "with_margin"])
def test_grouping_or_choosing_by_a_hidden_field_is_refused(session: Any, name: str) -> None:
    assert query.run(session("ada"), name).rows
    with pytest.raises(Denied, match='There is no field "margin" on "deal"'):
        query.run(session("bob"), name)
    assert not query.readable(session("bob"), name) and query.readable(session("ada"), name)


@pytest.mark.parametrize("name", ["by_stage", "everything", "account", "tickets", "open_now", "of_largest"])
def test_a_table_that_may_not_be_read_refuses_the_query(asked: World, session: Any, name: str) -> None:
    given = {"company": asked.ids["acme"]} if name == "account" else {}
    with pytest.raises(Denied):
        query.run(session("pat"), name, given)


# What is asked for


def test_what_is_missing_wrong_or_unknown_is_told_by_parameter(session: Any) -> None:
    with pytest.raises(Invalid) as missing:
        query.run(session("ada"), "deals_of_city")
    assert [(p.field, p.code) for p in missing.value.problems] == [("city", "required")]
    with pytest.raises(Invalid) as wrong:
        query.run(session("ada"), "open_deals", {"stage": "sold"})
    assert [(p.field, p.code) for p in wrong.value.problems] == [("stage", "choice")]
    with pytest.raises(BadRequest, match='The query "open_deals" has no parameter "town"'):
        query.run(session("ada"), "open_deals", {"town": "Ulm"})
    with pytest.raises(NotFound):
        query.run(session("ada"), "nothing")


def test_what_people_type_is_read_by_the_types(asked: World, session: Any) -> None:
    asking_for = asked.system.model.queries["deals_of_city"]
    german = Locale("de", "Europe/Berlin")
    typed = query_values.parse(asking_for, {"city": " Ulm ", "least": "1.000,50", "since": ""}, german)
    assert typed == {"city": "Ulm", "least": Decimal("1000.50")}
    with pytest.raises(Invalid) as wrong:
        query_values.parse(asking_for, {"least": "much", "since": "never"}, german)
    assert [p.field for p in wrong.value.problems] == ["least", "since"]


def test_money_of_another_currency_becomes_base_currency(asked: World, connection: Connection, session: Any) -> None:
    from tests.fixtures.sample import add
    add(connection, asked.system, "currency", code="USD", rate=Decimal("0.5"))
    asking_for = asked.system.model.queries["deals_of_city"]
    typed = query_values.parse(asking_for, {"least": "1000 USD"}, Locale())
    assert typed == {"least": Amount(Decimal("1000.00"), "USD")}
    assert query_values.values(session("ada"), asking_for, {"city": "x", **typed})["least"] == Decimal("500.00")
    with pytest.raises(Invalid, match="no rate of the currency"):
        query_values.values(session("ada"), asking_for, {"city": "x", "least": Amount(Decimal(1), "XXX")})


def test_rows_come_in_pages(session: Any) -> None:
    first = query.run(session("ada"), "tickets", limit=4)
    assert len(first.rows) == 4 and first.more
    rest = query.run(session("ada"), "tickets", limit=4, offset=4)
    assert [row["name"] for row in rest.rows] == ["Leak", "Ropes"] and not rest.more
    for limit, offset in ((0, 0), (query.MOST_ROWS + 1, 0), (1, -1), (1, query.LARGEST_OFFSET + 1)):
        with pytest.raises(BadRequest):
            query.run(session("ada"), "tickets", limit=limit, offset=offset)


def test_every_query_is_one_statement_built_once(asked: World, session: Any, statements: list[str]) -> None:
    given = {"deals_of_city": {"city": "Ulm"}, "account": {"company": 1}, "account_by_text": {"company": 1}}
    opened = session("ada")
    for name in asked.system.model.queries:
        query.run(opened, name, given.get(name))
    built = asked.system.cache.misses
    del statements[:]
    for name in asked.system.model.queries:
        query.run(opened, name, given.get(name))
    assert len(statements) == len(asked.system.model.queries)
    assert asked.system.cache.misses == built
