"""Counters and balances under many hands; named after the rows of the research where others lost changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.ed.records import Records
from core.ed.session import Session
from core.errors import BadRequest, Conflict, Denied, Invalid
from core.settings import Settings
from tests.core.ed.test_computed import stored
from tests.core.ed.test_computed_races import at_once
from tests.fixtures.computing import computing_world
from tests.fixtures.writing import World

BUYERS, ITEMS = 20, 10


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return computing_world(engine, app_engine, database.home)


def product(world: World, stock: int) -> int:
    with world.records() as records:
        return records.create("product", [{"name": "thing", "stock": stock}])[0]


def in_lots(work: Callable[[], None], number: int, width: int = 10) -> None:
    """Run it so many times, as many at once as there are connections."""
    gate = threading.Semaphore(width)

    def run() -> None:
        with gate:
            work()
    at_once(*(run for _ in range(number)))


def test_fault_10_eight_times_a_hundred_increments_of_one_counter(world: World) -> None:
    id_ = product(world, 0)

    def work() -> None:
        for _ in range(100):
            with world.records() as records:
                records.add("product", [{"id": id_, "stock": 1}])
    at_once(*[work] * 8)
    assert stored(world, "product", id_, "stock") == 800
    assert stored(world, "product", id_, "_version") == 801


def buy(world: World, id_: int, how: Callable[[Any, int], Any], sold: list[int]) -> None:
    try:
        with world.records() as records:
            how(records, id_)
        sold.append(1)
    except Invalid as error:
        assert {one.message for one in error.problems} <= {"There are only so many.", "Sold out."}


def test_past_case_47_and_fault_10_twenty_buyers_of_ten_items_by_a_balance(world: World) -> None:
    id_, sold = product(world, ITEMS), list[int]()
    take = partial(buy, world, id_, lambda records, one: records.add("product", [{"id": one, "stock": -1}]), sold)
    in_lots(take, BUYERS)
    assert (len(sold), stored(world, "product", id_, "stock")) == (ITEMS, 0)


def test_past_case_47_twenty_buyers_of_ten_items_by_a_ledger_whose_sum_is_the_balance(world: World) -> None:
    id_, sold = product(world, ITEMS), list[int]()
    take = partial(buy, world, id_, lambda records, one: records.create("purchase", [{"product": one}]), sold)
    in_lots(take, BUYERS)
    assert (len(sold), stored(world, "product", id_, "left")) == (ITEMS, 0)
    with world.records() as records:
        assert records.count("purchase", filters={"product": id_}) == (ITEMS, False)


def test_past_case_48_a_naive_read_and_write_loses_nothing_for_the_version_refuses_it(world: World) -> None:
    id_ = product(world, 0)
    refused = list[int]()

    def work() -> None:
        done = 0
        while done < 10:
            with world.records() as records:
                [seen] = records.read("product", [id_], ["stock"])
            try:
                with world.records() as records:
                    records.update("product", [{"id": id_, "_version": seen["_version"], "stock": seen["stock"] + 1}])
                done += 1
            except Conflict:
                refused.append(1)
    at_once(*[work] * 8)
    assert stored(world, "product", id_, "stock") == 80


def test_past_case_48_a_stale_form_does_not_overwrite(world: World) -> None:
    id_ = product(world, 1)
    with world.records() as records:
        records.update("product", [{"id": id_, "_version": 1, "stock": 5}])
    with pytest.raises(Conflict), world.records() as records:
        records.update("product", [{"id": id_, "_version": 1, "stock": 2}])
    with pytest.raises(Conflict), world.records() as records:
        records.add("product", [{"id": id_, "_version": 1, "stock": 2}])
    assert stored(world, "product", id_, "stock") == 5


def test_adding_is_a_change_like_any_other(world: World) -> None:
    id_ = product(world, 3)
    with world.records() as records:
        records.add("product", [{"id": id_, "stock": 2, "price": Decimal("1.50")}])
    assert (stored(world, "product", id_, "stock"), stored(world, "product", id_, "price")) == (5, Decimal("1.50"))
    assert stored(world, "product", id_, "left") == 5
    with pytest.raises(Denied), world.records("sue") as records:
        records.add("product", [{"id": id_, "stock": 1}])
    for body, field in (({"name": 1}, "name"), ({"stock": "1"}, "stock"), ({"stock": True}, "stock"),
                        ({"stock": Decimal("NaN")}, "stock")):
        with pytest.raises(BadRequest) as error, world.records() as records:
            records.add("product", [{"id": id_, **body}])
        assert error.value.at == field
    for name in ("left", "nothing"):
        with pytest.raises(Invalid), world.records() as records:
            records.add("product", [{"id": id_, name: 1}])
    assert stored(world, "product", id_, "stock") == 5


def test_fault_10_a_killed_writer_leaves_the_counter_as_it_was(world: World, engine: Engine) -> None:
    id_ = product(world, 0)
    for number in range(5):
        with world.engine.connect() as connection, pytest.raises(Exception, match="terminat|closed"):
            with connection.begin():
                records = Records(Session.system_session(world.system, connection))
                records.add("product", [{"id": id_, "stock": 1}])
                pid = connection.scalar(text("select pg_backend_pid()"))
                with engine.begin() as other:
                    other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
        assert stored(world, "product", id_, "stock") == number
        with world.records() as kept:
            kept.add("product", [{"id": id_, "stock": 1}])
        assert stored(world, "product", id_, "stock") == number + 1
