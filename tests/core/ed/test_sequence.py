"""Numbers: unique and without gaps, however many draw at once and however many of them fail."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from core.ed.sequence import draw
from core.errors import Invalid
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def test_a_series_begins_at_one_and_several_may_be_drawn_at_once(world: World) -> None:
    with world.engine.begin() as connection:
        assert [draw(connection, ["a"], 1), draw(connection, ["a"], 5), draw(connection, ["a"], 1)] == [1, 2, 7]
        assert draw(connection, ["b"], 1) == 1


def test_many_at_once_leave_no_gap_and_no_double(world: World) -> None:
    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(12):
            rows = [{"name": f"n{chance.random()}"} for _ in range(chance.randint(1, 3))]
            if chance.random() < 0.4:                     # refused by a condition that is asked after the numbers
                rows[-1] |= {"stage": "won"}
            try:
                with world.records("sue") as records:
                    records.create("deal", rows)
            except Invalid:
                pass
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.records() as records:
        page = records.page("deal", ["code"], order=["code"], limit=200)
    numbers = sorted(int(record["code"][2:]) for record in page.records)
    assert len(numbers) > 20 and numbers == list(range(1, len(numbers) + 1))


def test_an_import_may_bring_its_own_numbers(world: World) -> None:
    with world.records("ada", how="import") as records:
        [id_] = records.create("deal", [{"name": "old", "code": "OLD-7"}])
        assert records.read("deal", [id_], ["code"])[0]["code"] == "OLD-7"


def test_fault_10_numbers_have_no_gap_after_random_kills_of_transactions(world: World, engine: Engine) -> None:
    """Connections are ended from outside at random moments, before a number is drawn, after it, and after the write."""
    with world.records() as records:
        before = {record["id"] for record in records.page("deal", ["id"], limit=500).records}

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for number in range(10):
            try:
                with world.records("sue") as records:
                    doomed, moment = chance.random() < 0.5, chance.random()
                    if doomed and moment < 0.3:
                        _kill(engine, records.session.connection)
                    records.create("deal", [{"name": f"k{seed} {number}"} for _ in range(chance.randint(1, 3))])
                    if doomed:
                        _kill(engine, records.session.connection)
            except DBAPIError:
                pass                                      # its connection was ended
    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with world.records() as records:
        codes = [record["code"] for record in records.page("deal", ["code"], limit=500).records
                 if not str(record["code"]).startswith("OLD")]
        after = {record["id"] for record in records.page("deal", ["id"], limit=500).records}
    assert len(after - before) > 5
    assert sorted(int(code[2:]) for code in codes) == list(range(1, len(codes) + 1))


def _kill(engine: Engine, connection: Connection) -> None:
    pid = connection.scalar(text("select pg_backend_pid()"))
    with engine.begin() as other:
        other.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
