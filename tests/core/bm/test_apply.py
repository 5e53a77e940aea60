"""Promotions on a database: applied, taken back, promoted again."""

from __future__ import annotations

from tests.core.bm.conftest import Live

REGION = "change: table deal\nfields:\n  region: {type: text, after: company}\n"


def test_the_first_version_is_live_after_its_promotion(system: Live) -> None:
    assert system.version == 1
    assert system.plan().plan.empty
    company = system.create("company", name="Acme", size=3)
    assert system.read("company", company)["name"] == "Acme"


def test_a_field_is_added_taken_back_and_returns_with_what_was_entered(system: Live) -> None:
    deal = system.create("deal", title="Pilot")
    system.site.write("deal.yaml", REGION)
    assert system.promote(message="Regions") == 2
    version = system.read("deal", deal)["_version"]
    system.records(lambda records: records.update("deal", [{"id": deal, "_version": version, "region": "North"}]))
    before = system.columns()

    assert system.rollback() == 1
    assert "region" not in system.read("deal", deal)
    assert system.columns() == before

    planned = system.plan().plan
    assert "deal.region returns with the values it had" in planned.notes[0]
    assert system.promote(message="Regions again") == 2
    assert system.read("deal", deal)["region"] == "North"
    assert system.columns() == before and system.plan().plan.empty
