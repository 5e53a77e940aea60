"""What a user may not read shows nowhere: not in what is found, not in titles, not in what stands beside them."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func

from core.ed.records import Records
from core.ed.search_index import index_queue, queue_all
from tests.core.ed.world import World
from tests.fixtures.sample import add, session_of


@pytest.fixture
def visitor(world: World, connection: Connection) -> int:
    """Somebody who sees little."""
    user = add(connection, world.system, "user", name="Visitor")
    add(connection, world.system, "role_assignment", user=user, role="visitor")
    return user


def test_a_look_up_finds_no_words_of_records_that_may_only_be_peeked_at(world: World, connection: Connection) -> None:
    stored = world.system.stored("contact")
    connection.execute(stored.table.update().where(stored.column("id") == world.ids["cora"]).values(
        {stored.name("note"): "the zanzibar affair"}))
    queue_all(connection, world.system, ["contact"])
    index_queue(connection, world.system)
    for user, found in (("sue", ["cora"]), ("bob", []), ("dan", [])):
        ids = [id for id, _ in world.records(connection, user).lookup("contact", "zanzibar")]
        assert world.names(ids) == found, user
    assert world.names([id for id, _ in world.records(connection, "bob").lookup("contact", "cora")]) == ["cora"]


def test_whether_a_hidden_record_is_in_the_trash_is_hidden(world: World, connection: Connection, visitor: int) -> None:
    ids = [add(connection, world.system, "contact", name="Hidden", owner=owner, _deleted_on=func.now())
           for owner in (visitor, world.ids["sue"])]
    deals = [add(connection, world.system, "deal", name="open", client=id) for id in ids]
    records = Records(session_of(world.system, connection, visitor)).read("deal", deals, ["client"])
    assert [(r["client_title"], r.get("client_trashed")) for r in records] == [("Hidden @ ", True), (None, None)]


def test_the_title_of_a_record_follows_the_rights_of_its_kind(
        world: World, connection: Connection, visitor: int) -> None:
    """Kinds that are shown by the same field need not show it to the same people."""
    ids = [add(connection, world.system, table, name="Named") for table in ("agency", "company")]
    deals = [add(connection, world.system, "deal", name="open", client=id) for id in ids]
    records = Records(session_of(world.system, connection, visitor))
    assert [r["client_title"] for r in records.read("deal", deals, ["client"])] == [None, "Named"]
    assert [r["_title"] for r in records.read("party", ids, ["_title"])] == [None, "Named"]
