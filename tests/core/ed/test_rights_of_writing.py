"""Nothing that a user may not write is written, by whatever call it is tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from core.ed.records import Records
from core.errors import Denied, Invalid, NotFound
from core.settings import Settings
from tests.fixtures.writing import World, writing_world

REFUSED = (Denied, Invalid, NotFound)


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def calls(world: World, table: str, id: int) -> list[Callable[[Records], object]]:
    fields = world.system.model.tables[table].fields
    first = next(name for name, field in fields.items() if field.type.name == "text")
    return [lambda r: r.create(table, [{first: "x"}]), lambda r: r.update(table, [{"id": id, first: "x"}]),
            lambda r: r.delete(table, [id]), lambda r: r.restore(table, [id])]


@pytest.mark.parametrize(("table", "name"), [
    ("user", "sue"), ("currency", "EUR"), ("customer", "acme"), ("product", "pen"), ("label", "red")])
def test_whoever_has_no_grant_writes_nothing(world: World, unchanged, table: str, name: str) -> None:
    for call in calls(world, table, world[name]):
        with unchanged(), pytest.raises(REFUSED), world.records("eve") as records:
            call(records)


def test_nobody_gives_themselves_a_role(world: World, unchanged) -> None:
    row = {"user": world["sue"], "role": "administrator"}
    for user in ("sue", "eve", "max"):
        with unchanged(), pytest.raises(REFUSED), world.records(user) as records:
            records.create("role_assignment", [row])


def test_every_field_of_every_table_is_closed_to_who_may_not_change_it(world: World, unchanged) -> None:
    """A sweep: each field, in each table that Eve only reads or does not even read."""
    with world.records() as records:
        [deal] = records.create("deal", [{"name": "d", "owner": world["sue"], "lines": [{"price": 1}]}])
        [line] = [r["id"] for r in records.page("deal_line", ["id"]).records]
    targets = {"deal": deal, "deal_line": line, "customer": world["acme"], "user": world["sue"]}
    fields = [(table, field) for table in targets for field in world.system.model.tables[table].fields]
    with unchanged():
        for table, field in fields:
            for value in (None, 1, "x", True, [], [{"id": 1}]):
                with pytest.raises(REFUSED), world.records("eve") as records:
                    records.update(table, [{"id": targets[table], field: value}])


def test_an_owner_may_hand_over_but_not_take_back(world: World, unchanged) -> None:
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "mine"}])
        records.update("deal", [{"id": id_, "owner": world["sam"]}])
    with unchanged(), pytest.raises(Denied), world.records("sue") as records:
        records.update("deal", [{"id": id_, "owner": world["sue"]}])


def test_an_import_has_the_rights_of_its_user(world: World, unchanged) -> None:
    for rows in ([{"id": world["acme"], "name": "x"}, {"id": world["beta"], "name": "x"}],
                 [{"id": world["beta"], "name": "x"}, {"id": world["acme"], "name": "x"}]):
        with unchanged(), pytest.raises(REFUSED), world.records("sue", how="import") as records:
            records.update("customer", rows)
    with unchanged(), pytest.raises(Invalid), world.records("sue", how="import") as records:
        records.update("customer", [{"id": world["acme"], "hidden": "x"}])
