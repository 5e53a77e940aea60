"""What expressions name beyond the record: trees, sets in conditions, sets of the user, over real records and rights."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from core.errors import BadRequest
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def make(world: World, table: str, **values: object) -> int:
    with world.records() as records:
        [id_] = records.create(table, [{"owner": world["sue"], **values}])
    return id_


def found(world: World, table: str, where: str, user: str | None = "sue") -> set[str]:
    with world.records(user) as records:
        return {row["name"] for row in records.page(table, ["name"], where).records}


def test_under_finds_a_record_and_all_below_it(world: World) -> None:
    top = make(world, "customer", name="top")
    middle = make(world, "customer", name="middle", parent=top)
    make(world, "customer", name="low", parent=middle)
    make(world, "customer", name="aside")
    assert found(world, "customer", f"under(record, {top})") == {"top", "middle", "low"}
    assert found(world, "customer", f"under(parent, {middle})") == {"low"}
    assert found(world, "customer", f"name in ['low', 'aside'] and not under(record, {top})") == {"aside"}
    make(world, "deal", name="of low", customer=middle)
    assert found(world, "deal", f"under(customer, {top})") == {"of low"}
    with world.records("sue") as records, pytest.raises(BadRequest, match="no link of"):
        records.page("deal", ["name"], f"under(record, {top})")


def test_a_tree_that_was_made_a_circle_ends(world: World) -> None:
    one = make(world, "customer", name="one")
    two = make(world, "customer", name="two", parent=one)
    stored = world.system.stored("customer")
    with world.engine.begin() as connection:
        connection.execute(stored.table.update().where(stored.table.c.id == one).values(
            {stored.column("parent").name: two}))
    assert found(world, "customer", f"under(record, {one}) and name in ['one', 'two']") == {"one", "two"}
    assert found(world, "customer", f"under(record, {world['acme']}) and name in ['one', 'two']") == set()


def test_a_link_is_looked_for_in_a_set(world: World) -> None:
    big = make(world, "customer", name="big one")
    make(world, "deal", name="of the big one", customer=big)
    assert found(world, "deal", "customer in all.customer[starts_with(name, 'big')]") == {"of the big one"}
    assert found(world, "customer", "record in all.deal[name == 'of the big one'].customer") == {"big one"}
    assert "of the big one" not in found(world, "deal", "customer not in all.customer[starts_with(name, 'big')]")


def test_periods_and_other_new_words_reach_the_database(world: World) -> None:
    make(world, "deal", name="now and here")
    for where in ("within(created_on, 'today')", "within(created_on, 'this year') and matches(name, 'now*here')",
                  "part(name, ' ', 2) == 'and'", "switch(name, 'now and here', True, False)",
                  "valid_on(date(created_on), None, today())"):
        assert "now and here" in found(world, "deal", where, None), where
