"""Grants that hold for some records only: nothing of the others is seen or written, whatever the condition reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from core.ed import query
from core.ed.records import Records
from core.ed.system import System
from core.errors import BadRequest, Denied, NotFound
from tests.core.ed.world import World
from tests.fixtures.asking import asking_model
from tests.fixtures.sample import add, session_of


@pytest.fixture
def scouted(world: World, connection: Connection) -> World:
    """The world where nil is a scout; a version of its own, for what a user counts as is kept with it."""
    system = System(3, asking_model(), world.system.identities, world.system.physical)
    add(connection, system, "role_assignment", user=world.ids["nil"], role="scout")
    return World(system, world.ids)


@pytest.fixture
def scout(scouted: World, connection: Connection) -> Records:
    return scouted.records(connection, "nil")


def names(records: Records, table: str = "deal", where: str | None = None) -> list[str]:
    return [record["name"] for record in records.page(table, ["name"], where, order=["name"]).records]


def test_records_that_meet_the_condition_are_read_and_no_others(scouted: World, scout: Records) -> None:
    assert names(scout) == ["Anvils", "Ropes"]          # bolts has the secret, cranes is large, drills has no amount
    assert scout.count("deal") == (2, False)
    ids = [scouted.ids[name] for name in ("anvils", "bolts", "cranes", "ropes")]
    assert [record["name"] for record in scout.read("deal", ids, ["name"])] == ["Anvils", "Ropes"]
    assert scout.may("deal", "read", scouted.ids["anvils"]) and not scout.may("deal", "read", scouted.ids["bolts"])
    assert [found.title for found in scout.search("Bolts")] == []


def test_a_query_in_a_grant_reads_what_the_user_may_not(scouted: World, scout: Records) -> None:
    assert names(scout, "company") == ["Acme"]          # by a city that a scout cannot read
    with pytest.raises(BadRequest, match='"city" is not on table "company"'):
        names(scout, "company", "city == 'Berlin'")


@pytest.mark.parametrize("ask", [
    "secret == 'hiddenanvils'", "exists(all.deal[secret == 'hiddenbolts'])", "company.city == 'Berlin'"])
def test_the_condition_opens_no_way_to_what_it_reads(scout: Records, ask: str) -> None:
    with pytest.raises(BadRequest):
        names(scout, "deal", ask)


def test_nothing_counts_or_leads_to_the_other_records(scouted: World, scout: Records) -> None:
    assert names(scout, "deal", "count(all.deal[amount > 0]) == 2") == ["Anvils", "Ropes"]
    assert names(scout, "company", "count(deals) == 1") == ["Acme"]
    [ropes] = [r for r in scout.page("deal", ["name", "company", "company.name"]).records if r["name"] == "Ropes"]
    assert (ropes["company"], ropes["company.name"]) == (scouted.ids["gone"], None)      # a query finds nothing in the trash
    [row] = query.run(scout.session, "everything").rows
    assert (row["deals"], row["worth"]) == (2, 1050)
    with pytest.raises(NotFound):
        scout.history("deal", scouted.ids["bolts"])


def test_a_fields_grant_holds_where_it_says(scout: Records) -> None:
    shown = {record["name"]: record["hint"] for record in scout.page("deal", ["name", "hint"]).records}
    assert shown == {"Anvils": "hintanvils", "Ropes": None}


def test_writing_honours_it(scouted: World, scout: Records) -> None:
    def change(name: str) -> Any:
        return scout.update("deal", [{"id": scouted.ids[name], "_version": 1, "probability": Decimal(10)}])
    change("anvils")
    for hidden in ("bolts", "cranes", "drills"):
        with pytest.raises((Denied, NotFound)):
            change(hidden)


@pytest.mark.parametrize(("values", "allowed"), [
    ({"amount": Decimal(100)}, True), ({"amount": Decimal(6000)}, False), ({}, False)])
def test_what_is_made_must_meet_it(scout: Records, values: dict[str, object], allowed: bool) -> None:
    def make() -> Any:
        return scout.create("deal", [{"name": "New one", "stage": "offer", **values}])
    if allowed:
        assert len(make()) == 1
    else:
        with pytest.raises(Denied):
            make()


def test_deleting_needs_both_the_role_and_the_condition(scouted: World, scout: Records, connection: Connection) -> None:
    table = scouted.system.stored("deal")
    connection.execute(table.table.update().values({table.name("owner"): scouted.ids["nil"]}).where(
        table.column("id").in_([scouted.ids["ropes"], scouted.ids["cranes"]])))
    scout.delete("deal", [scouted.ids["ropes"]])
    for other in ("anvils", "cranes"):                  # not hers; hers, but too large
        with pytest.raises((Denied, NotFound)):
            scout.delete("deal", [scouted.ids[other]])


def test_other_roles_add_to_it(scouted: World, connection: Connection) -> None:
    add(connection, scouted.system, "role_assignment", user=scouted.ids["nil"], role="desk")
    both = Records(session_of(scouted.system, connection, scouted.ids["nil"]))
    assert names(both) == ["Anvils", "Bolts", "Cranes", "Drills", "Ropes"]
    shown = {r["name"]: r["hint"] for r in both.page("deal", ["name", "hint"]).records}
    assert shown["Anvils"] == "hintanvils" and shown["Bolts"] == "hintbolts"        # the desk reads all of a ticket


def test_it_is_one_statement(scout: Records, statements: list[str]) -> None:
    names(scout)
    del statements[:]
    names(scout)
    assert len(statements) == 1
