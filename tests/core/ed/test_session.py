"""Who a user is: roles with all they include, teams, people below; worked out once."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Connection

from core.ed.cache import Cache
from core.ed.session import Principals, Session, closed_roles
from tests.core.ed.world import World
from tests.fixtures.sample import add, sample_model


def test_roles_bring_what_they_include(world: World, connection: Connection) -> None:
    bob = Principals.load(connection, world.system, world.ids["bob"])
    assert bob.roles == {"seller", "employee"} and not bob.all
    assert Principals.load(connection, world.system, world.ids["ada"]).all
    assert Principals.load(connection, world.system, world.ids["nil"]).roles == frozenset()
    assert closed_roles(sample_model(), frozenset(["customer", "gone"])) == {"customer"}


def test_a_user_stands_for_teams_and_above_people_however_deep(world: World, connection: Connection) -> None:
    ids = world.ids
    eve, sue = (Principals.load(connection, world.system, ids[name]) for name in ("eve", "sue"))
    assert eve.arrays == {"user": (ids["eve"],), "team": (ids["north"],)} and eve.below == {"user": ()}
    assert sue.arrays == {"user": (ids["sue"],), "team": ()}
    assert sue.below == {"user": tuple(sorted([ids["bob"], ids["eve"]]))}


def test_a_loop_of_superiors_ends_where_it_began(world: World, connection: Connection) -> None:
    stored = world.system.stored("user")
    connection.execute(stored.table.update().where(stored.column("id") == world.ids["sue"]).values(
        {stored.name("manager"): world.ids["eve"]}))
    bob = Principals.load(connection, world.system, world.ids["bob"], epoch=77)
    assert bob.below == {"user": tuple(sorted([world.ids["sue"], world.ids["eve"]]))}


def test_what_a_user_is_holds_until_the_epoch_changes(
        world: World, connection: Connection, statements: list[str]) -> None:
    Principals.load(connection, world.system, world.ids["dan"], epoch=5)
    add(connection, world.system, "role_assignment", user=world.ids["dan"], role="seller")
    statements.clear()
    assert "seller" not in Principals.load(connection, world.system, world.ids["dan"], epoch=5).roles
    assert statements == []
    assert "seller" in Principals.load(connection, world.system, world.ids["dan"], epoch=6).roles


def test_an_assignment_in_the_trash_gives_nothing(world: World, connection: Connection) -> None:
    add(connection, world.system, "role_assignment", user=world.ids["nil"], role="seller",
        _deleted_on=datetime(2026, 1, 1, tzinfo=UTC))
    assert Principals.load(connection, world.system, world.ids["nil"], epoch=8).roles == frozenset()


def test_today_is_bound_in_the_zone_of_the_user(world: World, connection: Connection) -> None:
    user = Principals.load(connection, world.system, world.ids["bob"])
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    days = [Session.open(world.system, connection, user, zone=zone, now=late).environment.today
            for zone in ("UTC", "Asia/Shanghai", "America/New_York")]
    assert days == [date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 20)]


def test_a_cache_is_bounded_counted_and_keeps_what_was_used_last() -> None:
    cache = Cache(limit=2)
    assert [cache.get(key, lambda key=key: key) for key in "abacab"] == list("abacab")  # type: ignore[misc]
    assert len(cache) == 2 and cache.hits == 2 and cache.misses == 4
