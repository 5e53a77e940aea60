"""Numbers: unique and without gaps, however many draw at once and however many of them fail."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import Engine

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
