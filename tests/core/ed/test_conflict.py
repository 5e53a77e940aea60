"""A stale write says for each field what is theirs, the original and yours, as far as the writer may read."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import Engine

from core.ed.conflict import Difference, VersionConflict
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def make(world: World, table: str = "deal", **values: object) -> int:
    with world.records() as records:
        return records.create(table, [{"name": "made", "owner": world["sue"], **values}])[0]


def write(world: World, user: str, how: str, table: str, id_: int, version: int, **values: object) -> None:
    with world.records(user, how) as records:
        records.update(table, [{"id": id_, "_version": version, **values}])


@pytest.mark.parametrize("how", ["page", "api", "agent", "import"])
def test_fault_9_the_second_writer_is_told_each_changed_field(world: World, unchanged, how: str) -> None:
    id_ = make(world, note="first")
    write(world, "ada", "page", "deal", id_, 1, name="theirs", amount=Decimal(7))
    write(world, "ada", "page", "deal", id_, 2, name="theirs again")
    with unchanged(), pytest.raises(VersionConflict) as error:
        write(world, "sue", how, "deal", id_, 1, name="mine", note="mine")
    assert error.value.changed == (Difference("name", "made", "theirs again", "mine", True),
                                   Difference("amount", None, "7.00"))
    assert error.value.changed[1].as_json() == {"field": "amount", "theirs": "7.00", "original": None}
    write(world, "sue", how, "deal", id_, error.value.current["_version"], note="mine")        # seen: it merges
    with world.records() as records:
        found = records.read("deal", [id_], ["name", "note", "amount"])[0]
    assert (found["name"], found["note"], found["amount"]) == ("theirs again", "mine", Decimal(7))


def test_what_was_changed_and_changed_back_is_no_difference(world: World) -> None:
    id_ = make(world)
    write(world, "ada", "page", "deal", id_, 1, name="other")
    write(world, "ada", "page", "deal", id_, 2, name="made")
    with pytest.raises(VersionConflict) as error:
        write(world, "sue", "page", "deal", id_, 1, name="mine")
    assert error.value.changed == () and error.value.current["_version"] == 3


def test_past_case_48_what_may_not_be_read_is_in_no_conflict(world: World) -> None:
    customer = make(world, "customer", hidden="canary of before")
    with world.records() as records:
        records.update("customer", [{"id": customer, "hidden": "canary of now", "tax_id": "77"}])
    with pytest.raises(VersionConflict) as error:
        write(world, "sue", "page", "customer", customer, 1, name="mine")
    assert [one.field for one in error.value.changed] == ["tax_id"] and "canary" not in repr(vars(error.value))


def test_values_that_fit_nothing_come_back_as_they_were_sent(world: World) -> None:
    id_ = make(world, amount=Decimal(1))
    write(world, "ada", "page", "deal", id_, 1, amount=Decimal(2))
    with pytest.raises(VersionConflict) as error:
        write(world, "sue", "page", "deal", id_, 1, amount="a lot")
    assert error.value.changed == (Difference("amount", "1.00", "2.00", "a lot", True),)
