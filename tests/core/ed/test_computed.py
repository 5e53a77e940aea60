"""Stored formulas: columns that are always what the formula would give, whatever way records are written."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from core.ed.computed_check import differences, repair
from core.ed.computed_sql import fresh_values
from core.ed.formulas import kept
from core.errors import Invalid
from core.settings import Settings
from tests.fixtures.computing import computing_world
from tests.fixtures.sample import value_in_database
from tests.fixtures.writing import World, statements


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return computing_world(engine, app_engine, database.home)


def account(world: World, **values: object) -> int:
    with world.records() as records:
        return records.create("account", [{"name": "Acme", **values}])[0]


def order(world: World, *lines: tuple[float, float], **values: object) -> int:
    with world.records("sue") as records:
        return records.create("order", [{"lines": [
            {"quantity": Decimal(str(quantity)), "price": Decimal(str(price)), "unit": 1} for quantity, price in lines],
            **values}])[0]


def stored(world: World, table: str, id: int, field: str, part: str = "") -> Any:
    with world.engine.begin() as connection:
        return value_in_database(connection, world.system, table, id, field, part)


def lines_of(world: World, id: int) -> list[dict[str, Any]]:
    with world.records() as records:
        return list(records.read("order", [id], ["lines"])[0]["lines"])


def all_right(world: World, tables: Iterable[str] = ("account", "order", "order_line", "product", "folder")) -> None:
    """Every stored value equals what its formula gives."""
    with world.engine.begin() as connection:
        for table in tables:
            fresh = fresh_values(world.system, table)
            kept_values = [world.system.stored(table).column(one.name, source=fresh.source)
                           for one in kept(world.system, table).fields]
            rows = connection.execute(fresh.select.add_columns(*kept_values)).all()
            count = len(kept_values)
            for row in rows:
                assert list(row[1:1 + count]) == list(row[-count:]), (table, row)


def test_sums_of_sums_are_there_after_one_create(world: World) -> None:
    holder = account(world)
    id_ = order(world, (1.25, 80.41), (1, 30), name="chain", account=holder)
    assert [stored(world, "order_line", one["id"], "total") for one in lines_of(world, id_)] == [
        Decimal("100.51"), Decimal("30.00")]
    assert stored(world, "order", id_, "total") == Decimal("130.51")
    assert stored(world, "order", id_, "margin") == Decimal("98.28")
    assert stored(world, "order", id_, "label") == "chain (2)"
    assert stored(world, "order", id_, "heavy") == 1
    assert stored(world, "account", holder, "turnover") == Decimal("130.51")
    assert stored(world, "account", holder, "open") == 1


def test_the_sort_key_of_a_stored_text_and_its_search_entry_are_written(world: World) -> None:
    from core.ed.search_index import index_queue
    id_ = order(world, name="Éclair quark")
    assert stored(world, "order", id_, "label", "key") == "eclair quark (0)"
    with world.engine.begin() as connection:
        while index_queue(connection, world.system):
            pass
    with world.records("sue") as records:
        assert [one.id for one in records.search("quark")] == [id_]


def test_a_line_written_by_itself_moves_everything_above_it(world: World) -> None:
    holder = account(world)
    id_ = order(world, (1, 10), (1, 20), name="alone", account=holder)
    [first, second] = lines_of(world, id_)
    with world.records("sue") as records:
        records.update("order_line", [{"id": first["id"], "quantity": 5}])
    assert stored(world, "order", id_, "total") == 70
    with world.records("sue") as records:
        records.create("order_line", [{"order": id_, "price": 3}])
        records.delete("order_line", [second["id"]])
    assert (stored(world, "order", id_, "total"), stored(world, "account", holder, "turnover")) == (53, 53)
    with world.records("sue") as records:
        records.restore("order_line", [second["id"]])
    assert (stored(world, "order", id_, "total"), stored(world, "account", holder, "turnover")) == (73, 73)
    all_right(world)


def test_a_moved_line_leaves_one_sum_and_joins_the_other(world: World) -> None:
    first, second = order(world, (1, 10), name="from"), order(world, (1, 1), name="to")
    [line] = lines_of(world, first)
    with world.records("sue") as records:
        records.update("order_line", [{"id": line["id"], "order": second, "quantity": 2}])
    assert (stored(world, "order", first, "total"), stored(world, "order", second, "total")) == (0, 21)
    all_right(world)


def test_an_order_that_moves_or_goes_takes_its_sum_along(world: World) -> None:
    old, new = account(world), account(world)
    id_ = order(world, (1, 10), name="goes", account=old)
    with world.records("sue") as records:
        records.update("order", [{"id": id_, "account": new}])
    assert (stored(world, "account", old, "turnover"), stored(world, "account", new, "turnover")) == (0, 10)
    with world.records("sue") as records:
        records.delete("order", [id_])
    assert (stored(world, "account", new, "turnover"), stored(world, "account", new, "open")) == (0, 0)
    assert stored(world, "order", id_, "total") == 10          # what lies in the trash stays as it was
    with world.records("sue") as records:
        records.restore("order", [id_])
    assert (stored(world, "account", new, "turnover"), stored(world, "account", new, "open")) == (10, 1)
    all_right(world)


def test_records_that_stand_above_each_other(world: World) -> None:
    with world.records() as records:
        [top] = records.create("folder", [{"name": "top"}])
        [middle] = records.create("folder", [{"name": "middle", "parent": top}])
        [leaf] = records.create("folder", [{"name": "leaf", "parent": middle, "size": 6}])
    assert [stored(world, "folder", one, "below") for one in (top, middle, leaf)] == [0, 1, 0]
    with world.records() as records:
        records.update("folder", [{"id": leaf, "parent": top}, {"id": middle, "size": 50}])
    assert [stored(world, "folder", one, "below") for one in (top, middle, leaf)] == [2, 0, 0]
    all_right(world)


def test_neither_version_nor_history_tells_of_a_value_that_was_worked_out(world: World) -> None:
    id_ = order(world, (1, 10), name="quiet")
    with world.records("sue") as records:
        [before] = records.read("order", [id_], ["total", "changed_on"])
        told = len(records.history("order", id_))
        records.create("order_line", [{"order": id_, "price": 3}])
    with world.records("sue") as records:
        records.update("order", [{"id": id_, "_version": before["_version"], "note": "no conflict"}])
        assert len(records.history("order", id_)) == told + 1
        assert all("total" not in one.fields for one in records.history("order", id_))
    assert stored(world, "order", id_, "total") == 13


def test_what_concerns_no_formula_touches_no_parent(world: World) -> None:
    id_ = order(world, (1, 10), name="untouched")
    [line] = lines_of(world, id_)
    with world.records("sue") as records:
        records.update("order_line", [{"id": line["id"], "note": "warm"}])
    with world.records("sue") as records, statements(world.engine) as found:
        records.update("order_line", [{"id": line["id"], "note": "x"}])
    table = world.system.stored("order").table.name
    assert not [one for one in found if f"UPDATE ed.{table} " in one or ("FOR " in one and f"FROM ed.{table}" in one)]


def test_the_number_of_statements_does_not_grow_with_the_lines(world: World) -> None:
    order(world, (1, 1), name="warm")
    counted = []
    for number in (3, 60):
        with statements(world.engine) as found:
            order(world, *((1, n) for n in range(number)), name=f"many{number}")
        counted.append(len(found))
    assert counted[0] == counted[1]


def test_nobody_sets_what_is_worked_out(world: World) -> None:
    id_ = order(world, name="fixed")
    with world.records("sue") as records, pytest.raises(Invalid) as error:
        records.update("order", [{"id": id_, "total": 5}])
    assert [(one.field, one.code) for one in error.value.problems] == [("total", "computed")]
    with world.records("sue", how="import") as records, pytest.raises(Invalid):
        records.create("order", [{"name": "x", "label": "y"}])


def test_unique_holds_for_what_is_worked_out(world: World) -> None:
    order(world, name="twin")
    with pytest.raises(Invalid) as error:
        order(world, name="twin")
    assert [(one.field, one.code) for one in error.value.problems] == [("label", "unique")]
    assert order(world, (1, 1), name="twin")


def test_rules_see_what_was_just_worked_out_however_far_above(world: World) -> None:
    holder = account(world, limit=100)
    id_ = order(world, (1, 60), name="limited", account=holder)
    with pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("order_line", [{"order": id_, "price": 41}])
    assert [(one.code, one.message, one.row) for one in error.value.problems] == [("rule", "More than 100.00.", 0)]
    assert stored(world, "account", holder, "turnover") == 60
    with world.records("sue") as records:
        records.create("order_line", [{"order": id_, "price": 40}])
    assert stored(world, "account", holder, "turnover") == 100


def test_money_that_is_worked_out_has_its_amount_in_base_currency(world: World) -> None:
    id_ = order(world, (1, 10), name="dollars", currency=world["USD"])
    [line] = lines_of(world, id_)
    assert stored(world, "order", id_, "total", "base") == 5
    assert stored(world, "order_line", line["id"], "total", "base") == 5
    with world.records("sue") as records:
        records.update("order", [{"id": id_, "currency": world["EUR"]}])
    assert stored(world, "order", id_, "total", "base") == 10
    assert stored(world, "order_line", line["id"], "total", "base") == 10


def test_a_value_that_is_too_large_is_a_problem_and_no_crash(world: World) -> None:
    with pytest.raises(Invalid) as error, world.records() as records:
        records.create("folder", [{"name": "huge", "size": 900_000_000_000_000}])
    assert [one.code for one in error.value.problems] == ["too_large"]


def test_lists_sort_and_filter_by_the_column(world: World) -> None:
    with world.records("sue") as records, statements(world.engine) as found:
        page = records.page("order", ["total", "label"], "total >= 0", order=["-total"], limit=3)
    totals = [one["total"] for one in page.records]
    assert totals == sorted(totals, reverse=True)
    assert not [one for one in found if "sum(" in one or "count(" in one.lower()]


def test_who_may_not_read_all_of_it_gets_what_the_formula_gives_them(world: World) -> None:
    id_ = order(world, (1, 10), name="secretive", owner=world["own"])
    with world.records("hal") as records:
        assert "cost" not in records.readable("order")
        assert "margin" not in records.readable("order")
        assert records.read("order", [id_], ["total"])[0]["total"] == 10
    holder = account(world)
    order(world, (1, 7), name="mine", account=holder, owner=world["own"])
    order(world, (1, 8), name="not mine", account=holder)
    with world.records("own") as records:
        [seen] = records.read("account", [holder], ["open"])
    assert seen["open"] == 1
    assert stored(world, "account", holder, "open") == 2


def test_what_was_put_wrong_behind_the_record_service_is_found_and_put_right(world: World, engine: Engine) -> None:
    holder = account(world)
    id_ = order(world, (1, 10), name="tampered", account=holder)
    source = world.system.stored("order")
    with engine.begin() as connection:
        assert list(differences(connection, world.system)) == []
        connection.execute(source.table.update().values({source.name("total"): 99}).where(source.column("id") == id_))
        assert {(one.table, one.field, one.records) for one in differences(connection, world.system)} >= {
            ("order", "total", 1), ("account", "turnover", 1)}
    assert repair(world.engine, world.system) >= 1
    with engine.begin() as connection:
        assert list(differences(connection, world.system)) == []
    assert (stored(world, "order", id_, "total"), stored(world, "account", holder, "turnover")) == (10, 10)


def test_tables_under_one_another_keep_their_formulas_in_one(world: World) -> None:
    with world.records() as records:
        bundle = records.create("bundle", [{"name": "Ten pens", "stock": 7, "pieces": 3}])[0]
        found = records.read("bundle", [bundle], ["left", "each"])[0]
    assert (found["left"], found["each"]) == (7, 10)
    all_right(world, ("product", "bundle"))
