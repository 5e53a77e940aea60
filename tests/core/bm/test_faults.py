"""Faults 19 to 22 of a promotion: DDL that fails half way, a live system that drifted, two at once, twice and back."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from core.errors import Refused
from tests.core.bm.conftest import Live
from tests.core.bm.engine.test_wishes import catalog, state

REGION = "change: table deal\nfields:\n  region: {type: text, after: company}\n"
UNIQUE = """
    change: table company
    fields: {region: {type: text}}
    unique: {name: {fields: [name]}}
    """


def test_fault_19_what_stands_against_a_unique_rule_is_told_with_count_and_records(system: Live) -> None:
    for _ in range(3):
        system.create("company", name="Acme")
    system.site.write("company.yaml", UNIQUE)
    before = catalog(system)
    with pytest.raises(Refused, match=r"company\.name.* cannot be unique: .*Acme"):
        system.promote()
    assert catalog(system) == before and system.version == 1


def test_fault_19_an_index_that_fails_half_way_is_undone_with_all_before_it(system: Live) -> None:
    """The records became equal after the plan was made: columns are there already when the index fails."""
    system.create("company", name="Acme")
    system.site.write("company.yaml", UNIQUE)
    planned = system.plan()
    kinds = [step.kind for step in planned.plan.steps]
    assert kinds.index("expand") < kinds.index("index")
    before = catalog(system)
    system.create("company", name="Acme")
    with pytest.raises(Refused, match=r"company: the index cannot be made: two records are equal .*Acme"):
        system.promote(planned=planned)
    assert catalog(system) == before and (system.version, state(system)) == (1, "failed")
    assert ("expand", "undone") in system.sql("select kind, state from bm.step where promotion_id = 2")
    error = system.told(2)
    assert "two records are equal" in error


def test_fault_20_what_was_changed_by_hand_stops_a_promotion_and_is_named(system: Live) -> None:
    with system.engine.begin() as connection:
        connection.execute(text("alter table ed.company_1 add column by_hand text".replace(
            "company_1", system.sql("select table_name from sys.physical join bm.member using (id)"
                                    " where path = 'company' and column_name is null")[0][0])))
    system.site.write("deal.yaml", REGION)
    with pytest.raises(Refused, match="by_hand"):
        system.promote()
    assert system.version == 1 and system.sql("select count(*) from bm.promotion") == [(1,)]


def test_fault_21_of_two_at_once_one_wins_and_the_other_is_told(system: Live) -> None:
    system.site.write("deal.yaml", REGION)
    planned = system.plan()
    told: list[str] = []

    def promote() -> None:
        try:
            told.append(f"version {system.promote(planned=planned)}")
        except Refused as error:
            told.append(str(error))
    threads = [threading.Thread(target=promote) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert "version 2" in told and len(told) == 2
    other = next(one for one in told if one != "version 2")
    assert "under way" in other or "someone else promoted meanwhile" in other
    assert system.sql("select count(*) from bm.promotion where base = 1") == [(1,)]


def test_fault_21_the_lock_ends_with_its_session(system: Live) -> None:
    from core.bm.engine.lock import holding
    system.site.write("deal.yaml", REGION)
    with holding(system.engine, "anna"), system.engine.begin() as connection:
        connection.execute(text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
                                " and database = (select oid from pg_database where datname = current_database())"))
        assert system.promote() == 2


def test_fault_22_and_requirement_8_twice_is_once_and_the_way_back_keeps_what_was_entered(system: Live) -> None:
    deal = system.create("deal", title="Pilot")
    system.site.write("deal.yaml", REGION)
    assert system.promote() == 2
    before = system.sql("select count(*) from bm.promotion")
    assert system.promote() == 2 and system.sql("select count(*) from bm.promotion") == before
    version = system.read("deal", deal)["_version"]
    system.records(lambda records: records.update("deal", [{"id": deal, "_version": version, "region": "North"}]))
    assert system.rollback() == 1
    assert system.promote() == 2
    assert system.read("deal", deal)["region"] == "North"
