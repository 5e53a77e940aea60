"""Sums stay exact whoever writes lines at the same time: adding, changing, moving, trashing, restoring, taking back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from core.database.jobs import Job
from core.ed import computed, computed_jobs
from core.ed.records import Records
from core.ed.reverting import revert
from core.ed.session import Session
from core.errors import Invalid, NotFound
from core.settings import Settings
from tests.core.ed.test_computed import account, all_right, lines_of, order, stored
from tests.fixtures.computing import computing_world
from tests.fixtures.writing import World

THREADS = 8


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return computing_world(engine, app_engine, database.home)


def at_once(*works: Callable[[], None]) -> None:
    """Run them in threads that begin together; whatever one raises is raised."""
    start, failed = threading.Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], None]) -> None:
        start.wait()
        try:
            work()
        except BaseException as error:
            failed.append(error)
    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def write(world: World, work: Callable[[Records], object]) -> None:
    with world.records("sue") as records:
        work(records)


def test_lines_of_one_order_changed_at_once_by_many(world: World) -> None:
    holder = account(world)
    id_ = order(world, *((1, 1) for _ in range(THREADS)), name="busy", account=holder)
    lines = lines_of(world, id_)

    for number in range(2, 12):         # each round ends with a race of its own: a later write would heal the sum
        at_once(*(partial(write, world, _change(line["id"], number)) for line in lines),
                partial(write, world, lambda records: records.create("order_line", [{"order": id_, "price": 1}])))
        assert stored(world, "order", id_, "total") == THREADS * number + number - 1
        assert stored(world, "account", holder, "turnover") == THREADS * number + number - 1


def _change(line: int, quantity: int) -> Callable[[Records], object]:
    return lambda records: records.update("order_line", [{"id": line, "quantity": quantity}])


def test_lines_that_move_go_and_come_back_between_orders(world: World) -> None:
    holders = [account(world), account(world)]
    orders = [order(world, *((1, 3) for _ in range(4)), name=f"pool{n}", account=holders[n % 2]) for n in range(3)]
    lines = [line["id"] for one in orders for line in lines_of(world, one)]

    def work(choose: random.Random) -> None:
        for _ in range(12):
            with _may_be_refused():
                write(world, _act(choose, lines, orders, holders))
    for seed in range(3):
        at_once(*(partial(work, random.Random(10 * seed + thread)) for thread in range(6)))
        all_right(world)


def _act(choose: random.Random, lines: list[int], orders: list[int], holders: list[int]) -> Callable[[Records], Any]:
    line, target, holder = choose.choice(lines), choose.choice(orders), choose.choice(holders)
    return choose.choice([
        lambda records: records.update("order_line", [{"id": line, "order": target}]),
        lambda records: records.delete("order_line", [line]),
        lambda records: records.restore("order_line", [line]),
        lambda records: records.update("order", [{"id": target, "account": holder}]),
        lambda records: records.create("order_line", [{"order": target, "price": 5}])])


@contextmanager
def _may_be_refused() -> Iterator[None]:
    """Somebody else trashed the line first, or it waits in a circle and is told to come again."""
    try:
        yield
    except NotFound:
        pass
    except OperationalError as error:
        if "deadlock" not in str(error):
            raise


def test_a_document_and_its_lines_written_at_once_do_not_wait_in_a_circle(world: World) -> None:
    id_ = order(world, (1, 1), (1, 1), name="circle")
    first, second = (line["id"] for line in lines_of(world, id_))

    def whole() -> None:
        for number in range(1, 16):
            with world.records("sue") as records:
                records.update("order", [{"id": id_, "note": f"{number}", "lines": [
                    {"id": first, "quantity": number}]}])

    def alone() -> None:
        for number in range(1, 16):
            with world.records("sue") as records:
                records.update("order_line", [{"id": first, "price": number}, {"id": second, "price": number}])
    at_once(whole, alone, whole, alone)
    all_right(world)


def test_a_reverted_import_takes_its_sums_back(world: World) -> None:
    id_ = order(world, (1, 10), name="imported")
    [line] = lines_of(world, id_)
    with world.records("sue", how="import") as records:
        number = records.session.import_id = records.session.connection.scalar(text(
            "insert into sys.import (table_name, file_name, file_hash) values ('order_line', 'lines.csv', 'x') "
            "returning id"))
        records.create("order_line", [{"order": id_, "price": 5}])
        records.update("order_line", [{"id": line["id"], "quantity": 4}])
    assert stored(world, "order", id_, "total") == 45

    @contextmanager
    def sessions() -> Iterator[Session]:
        with world.engine.begin() as connection:
            yield Session.system_session(world.system, connection)
    result = revert(sessions, int(number or 0))
    assert (result.trashed, result.restored, result.left) == (1, 1, [])
    assert stored(world, "order", id_, "total") == 10
    all_right(world)


def test_more_parents_than_one_transaction_takes_are_a_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "MOST_PARENTS", 3)
    holders = [account(world) for _ in range(5)]
    with world.records() as records:
        records.create("order", [{"name": f"for {one}", "account": one, "lines": [{"price": 2, "quantity": one}]}
                                 for one in holders])
    assert [stored(world, "account", one, "turnover") for one in holders] == [0] * 5
    with world.engine.begin() as connection:
        jobs = connection.execute(text("select args from jobs.procrastinate_jobs where task_name = 'renew_formulas' "
                                       "order by id")).scalars().all()
    assert sorted(id_ for one in jobs for id_ in one["ids"]) == sorted(holders)
    for one in jobs:
        computed_jobs.renew_formulas(Job(world.engine, lambda connection: world.system, lambda: False), **one)
    assert [stored(world, "account", one, "turnover") for one in holders] == [2 * one for one in holders]
    all_right(world)


def test_a_refused_write_leaves_no_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computed, "MOST_PARENTS", 0)
    with world.engine.begin() as connection:
        before = connection.scalar(text("select count(*) from jobs.procrastinate_jobs"))
    with pytest.raises(Invalid), world.records() as records:
        records.create("purchase", [{"product": world["pen"], "pieces": 1}])
        records.create("purchase", [{"pieces": 1}])
    with world.engine.begin() as connection:
        assert connection.scalar(text("select count(*) from jobs.procrastinate_jobs")) == before
