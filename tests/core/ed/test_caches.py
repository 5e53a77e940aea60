"""What a process keeps is bounded, whatever people ask; what people count as is never older than the epoch."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import date

import pytest
from sqlalchemy import Engine

from core.bm.versions.live import current
from core.ed import conditions
from core.ed.caches import sizes
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.ed.system import System
from core.settings import Settings
from tests.fixtures.rights import TODAY, House, house


@pytest.fixture(scope="module")
def home(engine: Engine, app_engine: Engine, database: Settings) -> House:
    place = house(engine, app_engine)
    place.person("ada", "administrator")
    place.person("sam", "by_role")
    place.put("case", "case", name="A", secret=False)
    return place


def test_two_thousand_shapes_of_filters_keep_no_more_than_the_bound(home: House) -> None:
    """Names of fields and operators make the shape; each is another statement."""
    home.system.cache.limit = 200
    fields = ("name", "fee", "plan", "secret", "owner", "team", "department", "position")
    with home.records("ada") as records:
        def ask(number: int) -> None:
            bits = [f"{fields[bit % 8]} is {'not ' if number >> bit & 1 else ''}None" for bit in range(14)]
            asked = conditions.ask(records.session, "case", " and ".join(bits), {}, None)
            if number % 20 == 0:
                records.count("case", " and ".join(bits))
            assert asked.key
        tracemalloc.start()
        try:
            for number in range(2_000):
                ask(number)
                if number == 1_000:
                    gc.collect()
                    half = tracemalloc.get_traced_memory()[0]
            gc.collect()
            whole = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    found = {one.name: one for one in sizes(home.system)}
    assert found["statements"].entries <= found["statements"].limit == 200
    assert found["statements"].misses >= 2_000
    assert whole - half < 200_000


def test_nothing_is_kept_for_names_that_are_not_there(home: House) -> None:
    with home.records("sam") as records:
        def ask(name: str) -> None:
            with pytest.raises(Exception, match="no field|not on table"):
                records.page("case", ["name"], f"{name} == 1")
        ask("nothing")
        before = {one.name: one.entries for one in sizes(home.system)}
        for number in range(200):
            ask(f"nothing{number}")
        assert {one.name: one.entries for one in sizes(home.system)} == before


def test_principals_are_bounded(home: House) -> None:
    home.system.principals.limit = 10
    with home.app.begin() as connection:
        for day in range(1, 29):
            Principals.load(connection, home.system, home["sam"], home.epoch, today=date(2026, 2, day))
    found = {one.name: one for one in sizes(home.system)}
    assert found["principals"].entries == found["principals"].limit == 10


def test_a_statement_is_built_once_for_all_of_the_same_roles(home: House) -> None:
    home.person("tim", "by_role")
    for user in ("sam", "tim", "sam", "tim"):
        with home.records(user) as records:
            if user == "sam":
                records.page("case", ["name"], "fee > 3")
                before = home.system.cache.misses
            else:
                records.page("case", ["name"], "fee > 3")
    assert home.system.cache.misses == before


def test_every_process_sees_a_changed_assignment_at_its_next_request(home: House) -> None:
    """Two processes: the epoch rises in the transaction that changes the assignment, so neither before nor later."""
    other = System(1, home.system.model, home.system.identities, home.system.physical)
    home.person("new")

    def roles(system: System) -> frozenset[str]:
        with home.app.begin() as connection:
            return Principals.load(connection, system, home["new"], current(connection)[1], today=TODAY).roles

    changes = [("create", lambda r: r.create("role_assignment", [{"user": home["new"], "role": "auditor"}]), {"auditor"}),
               ("delete", lambda r: r.delete("role_assignment", [r.page(
                   "role_assignment", ["id"], filters={"user": home["new"]}).records[0]["id"]]), set())]
    assert roles(home.system) == roles(other) == set()
    for _, change, expected in changes:
        before = roles(other)
        with home.app.begin() as connection:
            change(Records(Session.system_session(home.system, connection)))
            assert roles(other) == before                 # not committed: neither the epoch nor the assignment
        assert roles(other) == roles(home.system) == expected


def test_every_process_sees_a_changed_team_and_superior(home: House) -> None:
    other = System(1, home.system.model, home.system.identities, home.system.physical)
    home.person("boss")

    def counts(system: System) -> tuple[bool, bool]:
        with home.app.begin() as connection:
            user = Principals.load(connection, system, home["boss"], current(connection)[1], today=TODAY)
            return home["sam"] in user.below["user"], bool(user.arrays["team"])
    assert counts(other) == (False, False)
    with home.records() as records:
        records.update("user", [{"id": home["sam"], "manager": home["boss"]}])
        records.create("team", [{"name": "T", "members": [home["boss"]]}])
    assert counts(other) == counts(home.system) == (True, True)
