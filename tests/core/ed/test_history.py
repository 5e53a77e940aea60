"""The history of a record, as each user may read it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from core.ed import tables
from core.ed.schema import identity_path
from core.errors import NotFound
from tests.core.ed.world import World


def note(world: World, connection: Connection, table: str, name: str, change: dict[str, Any]) -> None:
    model, identities = world.system.model, world.system.identities
    by_identity = {}
    for field, pair in change.items():
        found = model.field(table, field)
        by_identity[field if found is None else str(identities[identity_path(found)])] = pair
    connection.execute(insert(tables.history).values(
        record_id=world.ids[name], table_id=identities[table], user_id=world.ids["sue"], how="page", version=1,
        change=by_identity))


def test_history_is_newest_first_with_names_of_fields_and_people(world: World, connection: Connection) -> None:
    note(world, connection, "deal", "anvils", {"name": [None, "Anvils"], "amount": [None, "1000.00"]})
    note(world, connection, "deal", "anvils", {"name": ["Anvils", "Better"], "_deleted_on": [None, "2026-01-01"]})
    newest, oldest = world.records(connection, "bob").history("deal", world.ids["anvils"])
    assert newest.fields == {"name": ("Anvils", "Better"), "_deleted_on": (None, "2026-01-01")}
    assert (newest.user_title, newest.how, newest.version) == ("Sue", "page", 1)
    assert oldest.fields == {"name": (None, "Anvils"), "amount": (None, "1000.00")}


def test_history_leaves_out_what_may_not_be_read(world: World, connection: Connection) -> None:
    note(world, connection, "deal", "anvils", {"name": ["a", "b"], "margin": ["1", "2"], "hint": ["c", "d"]})
    note(world, connection, "deal", "anvils", {"secret": ["e", "f"]})
    note(world, connection, "deal", "drills", {"hint": ["c", "d"]})
    bob = world.records(connection, "bob")
    assert [change.fields for change in bob.history("deal", world.ids["anvils"])] == [{"name": ("a", "b")}]
    assert [change.fields for change in bob.history("deal", world.ids["drills"])] == [{"hint": ("c", "d")}]
    assert [change.fields for change in bob.history("ticket", world.ids["drills"])] == [{"hint": ("c", "d")}]
    assert len(world.records(connection, "ada").history("deal", world.ids["anvils"])) == 2


@pytest.mark.parametrize("name", ["cranes", "leak", "carl"])
def test_a_record_that_may_not_be_read_has_no_history(world: World, connection: Connection, name: str) -> None:
    with pytest.raises(NotFound):
        world.records(connection, "bob").history("deal", world.ids[name])


def test_a_field_that_is_gone_from_the_model_is_left_out(world: World, connection: Connection) -> None:
    connection.execute(insert(tables.history).values(
        record_id=world.ids["anvils"], table_id=1, how="system", change={"99999": [1, 2]}))
    assert world.records(connection, "ada").history("deal", world.ids["anvils"]) == []
