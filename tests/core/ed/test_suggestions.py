"""Suggestions: at creation, and again when what they read changes, until somebody enters something else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from tests.fixtures.computing import computing_world
from tests.fixtures.writing import World, statements


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return computing_world(engine, app_engine, database.home)


def offer(world: World, user: str | None = "sue", how: str = "page", **values: Any) -> int:
    with world.records(user, how) as records:
        return records.create("offer", [{"short": "x", **values}])[0]


def change(world: World, id: int, user: str | None = "sue", **values: Any) -> dict[str, Any]:
    with world.records(user) as records:
        records.update("offer", [{"id": id, **values}])
    return read(world, id)


def read(world: World, id: int) -> dict[str, Any]:
    with world.records() as records:
        return dict(records.read("offer", [id])[0])


def test_what_is_not_given_is_suggested_at_creation(world: World) -> None:
    found = read(world, offer(world, product=world["pen"], category="blue"))
    assert (found["price"], found["title"], found["terms"]) == (3, "Pen blue", "within 14 days")
    found = read(world, offer(world, how="import", product=world["pen"], price=Decimal(9), title=None))
    assert (found["price"], found["title"]) == (9, None)


def test_again_when_what_it_reads_changes(world: World) -> None:
    id_ = offer(world, product=world["pen"], category="blue")
    found = change(world, id_, product=world["ink"])
    assert (found["price"], found["title"], found["_version"]) == (8, "Ink blue", 2)
    found = change(world, id_, category="red", days=30)
    assert (found["title"], found["terms"]) == ("Ink red", "within 30 days")


def test_what_somebody_entered_stays(world: World) -> None:
    id_ = offer(world, product=world["pen"], category="blue")
    change(world, id_, price=Decimal(5))
    found = change(world, id_, product=world["ink"])
    assert (found["price"], found["title"]) == (5, "Ink blue")
    emptied = offer(world, product=world["pen"])
    change(world, emptied, price=None)
    assert change(world, emptied, product=world["ink"])["price"] is None


def test_what_is_sent_with_the_change_stays_as_it_was_sent(world: World) -> None:
    id_ = offer(world, product=world["pen"])
    assert change(world, id_, product=world["ink"], price=Decimal(3))["price"] == 3


def test_an_empty_suggestion_that_was_never_touched_is_filled_later(world: World) -> None:
    id_ = offer(world, category="blue")
    assert change(world, id_, product=world["ink"])["price"] == 8
    assert change(world, id_, product=None)["price"] is None


def test_one_suggestion_follows_another(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("offer", [{"product": world["pen"], "category": "blue"}])
    assert read(world, id_)["short"] == "Pen"
    assert change(world, id_, product=world["ink"])["short"] == "Ink"


def test_a_required_field_keeps_its_value_where_nothing_is_suggested(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("offer", [{"product": world["pen"]}])
    assert change(world, id_, title=None)["short"] == "Pen"


def test_what_is_frozen_is_left_alone(world: World) -> None:
    id_ = offer(world, category="closed")
    assert read(world, id_)["late"] == "late closed"
    assert change(world, id_, category="open")["late"] == "late closed"


def test_nothing_is_read_through_links_that_the_caller_may_not_read(world: World) -> None:
    assert read(world, offer(world, "hal", product=world["pen"]))["price"] is None
    id_ = offer(world, product=world["pen"])
    found = change(world, id_, "hal", product=world["ink"])
    assert (found["price"], found["title"]) == (3, "Ink")


def test_lines_are_suggested_for_like_records(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("order", [{"name": "suggested", "lines": [{"product": world["pen"]},
                                                                         {"product": world["ink"], "price": 1}]}])
    with world.records("sue") as records:
        lines = records.read("order", [id_], ["lines"])[0]["lines"]
        assert [(line["text"], line["price"]) for line in lines] == [("Pen", 3), ("Ink", 1)]
        records.update("order", [{"id": id_, "lines": [
            {"id": line["id"], "product": world[to]} for line, to in zip(lines, ("ink", "pen"), strict=True)]}])
    with world.records("sue") as records:
        found = records.read("order", [id_], ["lines", "total"])[0]
    assert [(line["text"], line["price"]) for line in found["lines"]] == [("Ink", 8), ("Pen", 1)]
    assert found["total"] == 9


def test_records_of_a_whole_table_are_asked_in_the_database(world: World) -> None:
    assert read(world, offer(world, category="first"))["rank"] == 1
    id_ = offer(world, category="other")
    assert read(world, id_)["rank"] == 1
    assert change(world, id_, category="first")["rank"] == 2


def test_what_concerns_no_suggestion_reads_nothing_more(world: World) -> None:
    id_ = offer(world, product=world["pen"])
    change(world, id_, name="warm")
    with statements(world.engine) as found:
        change(world, id_, name="cold")
    table = world.system.stored("product").table.name
    assert not [one for one in found if f"FROM ed.{table}" in one and "JOIN" not in one]
