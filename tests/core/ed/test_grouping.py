"""Records in groups: keys, units of time, aggregates, order, and only what the caller may read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from core.ed import grouping
from core.ed.grouping import group
from core.ed.session import Session
from core.errors import BadRequest, NotFound
from tests.core.ed.world import World
from tests.fixtures.sample import add

COUNT = {"count": ("count", None)}


def session(world: World, connection: Connection, user: str | None = None) -> Session:
    return world.records(connection, user).session


def base_amounts(world: World, connection: Connection) -> None:
    """What the record service keeps beside amounts; here in a currency of twice the worth."""
    stored = world.system.stored("deal")
    connection.execute(stored.table.update().values(
        {stored.name("amount", "base"): stored.column("amount") * 2}))


def test_records_are_grouped_by_a_choice_and_worked_out(world: World, connection: Connection) -> None:
    base_amounts(world, connection)
    found = group(session(world, connection), "deal", ["stage"], {
        **COUNT, "total": ("sum", "amount"), "mean": ("avg", "amount"), "least": ("min", "amount"),
        "most": ("max", "amount"), "owners": ("count_distinct", "owner"), "closing": ("count", "close_date"),
        "last": ("max", "close_date")}, order=["-total"])
    assert found.more is False
    won = found.rows[0]
    assert won == {"stage": "won", "count": 2, "total": Decimal("20000.00"), "mean": Decimal("10000.00"),
                   "least": Decimal("2000.00"), "most": Decimal("18000.00"), "owners": 2, "closing": 1,
                   "last": date(2026, 3, 1)}
    assert [row["stage"] for row in found.rows] == ["won", "offer", "lost", "qualify"]
    assert found.rows[-1]["total"] is None and found.rows[-1]["count"] == 1
    assert found.wire(won)["total"] == "20000.00" and found.wire(won)["last"] == "2026-03-01"


@pytest.mark.parametrize(("unit", "first"), [
    ("day", date(2026, 3, 1)), ("week", date(2026, 2, 23)), ("month", date(2026, 3, 1)),
    ("quarter", date(2026, 1, 1)), ("year", date(2026, 1, 1))])
def test_dates_are_grouped_by_units(world: World, connection: Connection, unit: str, first: date) -> None:
    found = group(session(world, connection), "deal", [("close_date", unit)], COUNT, where="stage == 'won'")
    assert [(row[f"close_date:{unit}"], row["count"]) for row in found.rows] == [(first, 1), (None, 1)]


def test_moments_are_dated_where_the_user_is(world: World, connection: Connection) -> None:
    stored = world.system.stored("deal")
    connection.execute(stored.table.update().values(created_on=datetime(2026, 3, 31, 23, 30, tzinfo=UTC)))
    ada = session(world, connection, "ada").user
    for zone, month in (("UTC", 3), ("Europe/Berlin", 4)):
        ask = Session.open(world.system, connection, ada, zone=zone)
        found = group(ask, "deal", [("created_on", "month")], COUNT)
        assert [row["created_on:month"] for row in found.rows] == [date(2026, month, 1)], zone


def test_links_have_titles_and_sort_by_them(world: World, connection: Connection) -> None:
    found = group(session(world, connection), "deal", ["company", "stage"], COUNT)
    assert [(row["company_title"], row["stage"], row["count"]) for row in found.rows] == [
        ("Acme", "offer", 1), ("Acme", "won", 1), ("Gone", "lost", 1), ("zeta", "qualify", 1), ("zeta", "won", 1)]


def test_groups_follow_paths_formulas_and_conditions(world: World, connection: Connection) -> None:
    base_amounts(world, connection)
    found = group(session(world, connection), "deal", ["company.city", "late"], {"hope": ("sum", "weighted")},
                  where="stage != 'lost'", order=["-company.city"])
    assert [(row["company.city"], row["late"], row["hope"]) for row in found.rows] == [
        ("Ulm", False, Decimal("9000.00")), ("Ulm", None, None),       # formulas over amounts in base currency
        ("Berlin", False, Decimal("1000.00")), ("Berlin", True, Decimal("500.00"))]


def test_all_records_are_one_group(world: World, connection: Connection, statements: list[str]) -> None:
    found = group(session(world, connection), "deal", [], COUNT)
    assert found.rows == ({"count": 5},) and len([s for s in statements if "count(*)" in s]) == 1
    assert group(session(world, connection), "deal", [], {}).rows == ({},)


def test_groups_are_chosen_by_their_aggregates_and_come_in_pages(world: World, connection: Connection) -> None:
    ask = session(world, connection)
    many = group(ask, "deal", ["stage"], COUNT, having=[("count", ">=", Decimal(2))])
    assert [row["stage"] for row in many.rows] == ["won"]
    first = group(ask, "deal", ["stage"], COUNT, limit=3)
    rest = group(ask, "deal", ["stage"], COUNT, limit=3, offset=3)
    assert (first.more, rest.more) == (True, False)
    assert [row["stage"] for row in (*first.rows, *rest.rows)] == ["lost", "offer", "qualify", "won"]


def test_it_is_one_statement_that_is_built_once(
        world: World, connection: Connection, statements: list[str]) -> None:
    ask = session(world, connection, "sue")
    def once(city: str) -> None:
        group(ask, "deal", ["company", ("close_date", "month")], {"total": ("sum", "amount"), **COUNT},
              where=f"company.city == '{city}'")
    once("Ulm")
    kept = len(world.system.cache)
    statements.clear()
    once("Berlin")
    assert len(statements) == 1 and len(world.system.cache) <= kept + 1        # the condition's own text


def test_past_case_1_a_hidden_field_is_as_unknown_as_none(world: World, connection: Connection) -> None:
    ask = session(world, connection, "bob")
    said = []
    for name in ("secret", "sekret"):
        for by, aggregates in (([name], COUNT), (["stage"], {"x": ("count", name)}), (["stage"], {"x": ("max", name)})):
            with pytest.raises(BadRequest) as error:
                group(ask, "deal", by, aggregates)
            said.append(str(error.value).replace(name, "it").partition(" (did")[0])
    assert said[:3] == said[3:]


def test_a_partly_readable_field_counts_where_it_may_be_read(world: World, connection: Connection) -> None:
    """Sue stands above Bob and reads hints of his deals, and all her own deals without their hints."""
    hints = {"bolts": "x", "anvils": "y", "cranes": "y", "drills": "z"}
    stored = world.system.stored("deal")
    for name, hint in hints.items():
        connection.execute(stored.table.update().where(stored.column("id") == world.ids[name]).values(
            {stored.name("hint"): hint, stored.name("hint", "key"): hint}))
    ask = session(world, connection, "sue")
    counted = group(ask, "deal", [], {**COUNT, "hints": ("count", "hint"), "kinds": ("count_distinct", "hint")})
    assert counted.rows == ({"count": 5, "hints": 3, "kinds": 3},)
    by_hint = group(ask, "deal", ["hint"], COUNT)
    assert [(row["hint"], row["count"]) for row in by_hint.rows] == [("x", 1), ("y", 1), ("z", 1), (None, 2)]
    inside = world.records(connection, "sue").page("deal", ["name"], grouping.within(ask, "deal", ["hint"], ["y"]))
    assert [record["name"] for record in inside.records] == ["Anvils"]


def test_profit_of_others_counts_for_nobody(world: World, connection: Connection) -> None:
    base_amounts(world, connection)
    rows = {user: group(session(world, connection, user), "deal", [], {"profit": ("sum", "profit"), **COUNT}).rows[0]
            for user in ("ada", "sue", "bob")}
    assert rows["ada"]["profit"] == Decimal("2110.00")
    assert rows["sue"] == {"profit": Decimal("1810.00"), "count": 5}        # her cranes and ropes, none of Bob's
    assert rows["bob"] == {"profit": Decimal("300.00"), "count": 3}        # anvils and bolts; Eve's drills have none


def test_records_that_may_not_be_read_are_in_no_group(world: World, connection: Connection) -> None:
    found = group(session(world, connection, "bob"), "deal", ["stage"], COUNT)
    assert [(row["stage"], row["count"]) for row in found.rows] == [("offer", 1), ("qualify", 1), ("won", 1)]
    with pytest.raises(NotFound):
        group(session(world, connection, "nil"), "deal", ["stage"], COUNT)


def test_what_is_inside_a_group_is_asked_by_its_values(world: World, connection: Connection) -> None:
    ask = session(world, connection)
    by = ["company", ("close_date", "month"), "amount"]
    found = group(ask, "deal", by, COUNT)
    seen = []
    for row in found.rows:
        values = [row["company"], row["close_date:month"], row["amount"]]
        inside = world.records(connection).page("deal", ["name"], [grouping.within(ask, "deal", by, values)])
        assert len(inside.records) == row["count"]
        seen += [record["id"] for record in inside.records]
    assert sorted(seen) == sorted(world.ids[name] for name in ("anvils", "bolts", "cranes", "drills", "ropes"))


@pytest.mark.parametrize(("by", "aggregates", "options", "at"), [
    (["tags"], COUNT, {}, "group"), (["note"], COUNT, {}, "group"), (["contacts"], COUNT, {}, "group"),
    ([("name", "month")], COUNT, {}, "group"), ([("created_on", "hour")], COUNT, {}, "group"),
    (["name", "name"], COUNT, {}, "group"), (["name", "city", "email", "active", "owner", "team"], COUNT, {}, "group"),
    ([], {"x": ("median", "founded")}, {}, "aggregates"), ([], {"x": ("sum", "name")}, {}, "aggregates"),
    ([], {"x": ("sum", None)}, {}, "aggregates"), ([], {"x; drop": ("count", None)}, {}, "aggregates"),
    (["city"], {"city": ("count", None)}, {}, "aggregates"), ([], {"x": ("max", "name")}, {}, "aggregates"),
    (["city"], COUNT, {"order": ["name"]}, "order"), (["city"], COUNT, {"limit": 0}, "limit"),
    (["city"], COUNT, {"offset": -1}, "offset"), (["city"], COUNT, {"having": [("city", ">", Decimal(1))]}, "having"),
    (["city"], COUNT, {"having": [("count", "like", Decimal(1))]}, "having")])
def test_what_cannot_be_grouped_is_refused(world: World, connection: Connection, by: list[grouping.By],
                                           aggregates: dict[str, grouping.Aggregate], options: dict[str, object],
                                           at: str) -> None:
    with pytest.raises(BadRequest) as error:
        group(session(world, connection), "company", by, aggregates, **options)  # type: ignore[arg-type]
    assert error.value.at == at


def test_the_empty_group_is_one_too(world: World, connection: Connection) -> None:
    add(connection, world.system, "deal", name="Nameless", owner=world.ids["ada"])
    found = group(session(world, connection), "deal", ["company"], COUNT, order=["-company"])
    assert (found.rows[-1]["company"], found.rows[-1]["company_title"], found.rows[-1]["count"]) == (None, None, 1)


def test_all_records_are_counted_and_added_up_as_far_as_a_bound(world: World, connection: Connection) -> None:
    base_amounts(world, connection)
    ask, wanted = session(world, connection), {"total": ("sum", "amount"), "mean": ("avg", "amount"),
                                               "dates": ("count", "close_date"), "all": ("count", None)}
    found = grouping.totals(ask, "deal", wanted, "stage == 'won'", cap=2)
    assert (found.count, found.more, found.values) == (2, False, {
        "total": Decimal("20000.00"), "mean": Decimal("10000.00"), "dates": 1, "all": 2})
    few = grouping.totals(ask, "deal", wanted, cap=4)
    assert (few.count, few.more, few.values) == (4, True, {})
    assert grouping.totals(ask, "deal", wanted, cap=None).values["total"] == Decimal("21100.00")
    assert grouping.totals(session(world, connection, "bob"), "deal", {"x": ("sum", "profit")}).count == 3
    with pytest.raises(BadRequest):
        grouping.totals(session(world, connection, "bob"), "deal", {"x": ("count", "secret")})
