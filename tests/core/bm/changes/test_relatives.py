"""A field that goes from a kind to its base, back, or into a mixin keeps what it holds."""

from __future__ import annotations

import pytest

from tests.core.bm.conftest import Live

PARTY = "table: party\ntitle: Party\nplural: Parties\nfields:\n  name: {type: text, max: 100}\n"
PERSON = "table: person\ntitle: Person\nplural: People\nbase: party\nfields:\n  born: {type: date}\n"
FIRM = "table: firm\ntitle: Firm\nplural: Firms\nbase: party\nfields:\n  size: {type: integer}\n"
CITY = "  city: {type: text}\n"


@pytest.fixture
def parties(system: Live) -> Live:
    write(system, PARTY, PERSON + CITY, FIRM + CITY)
    system.promote(answers={})
    return system


def write(system: Live, party: str, person: str, firm: str) -> None:
    for name, text in (("party_base", party), ("person", person), ("firm", firm)):
        system.site.addon(f"{name}.yaml", text)


def test_from_several_kinds_to_their_base_and_back(parties: Live) -> None:
    ann, acme = parties.create("person", name="Ann", city="Bonn"), parties.create("firm", name="Acme", city="Ulm")
    write(parties, PARTY + CITY, PERSON, FIRM)
    parties.promote()
    assert [parties.read("party", one)["city"] for one in (ann, acme)] == ["Bonn", "Ulm"]
    parties.records(lambda records: records.update("party", [{"id": acme, "city": "Trier"}]))
    write(parties, PARTY, PERSON + CITY, FIRM + CITY + "  note: {type: text}\n")
    parties.promote()
    assert parties.read("person", ann)["city"] == "Bonn" and parties.read("firm", acme)["city"] == "Trier"


def test_from_one_kind_to_its_base_is_no_change_of_columns(parties: Live) -> None:
    write(parties, PARTY, PERSON + CITY, FIRM)
    parties.promote()
    ann = parties.create("person", name="Ann", city="Bonn")
    before = parties.columns()
    write(parties, PARTY + CITY, PERSON, FIRM)
    assert "fill" not in [step.kind for step in parties.plan().plan.steps]
    parties.promote()
    assert parties.columns() == before and parties.read("party", ann)["city"] == "Bonn"
    parties.rollback()
    assert parties.read("person", ann)["city"] == "Bonn"


def test_a_way_back_takes_along_what_was_changed(parties: Live) -> None:
    ann, acme = parties.create("person", name="Ann", city="Bonn"), parties.create("firm", name="Acme", city="Ulm")
    write(parties, PARTY + CITY, PERSON, FIRM)
    parties.promote()
    for one in (ann, acme):
        parties.records(lambda records, one=one: records.update("party", [{"id": one, "city": "Trier"}]))
    parties.rollback()
    assert parties.read("person", ann)["city"] == parties.read("firm", acme)["city"] == "Trier"


def test_into_a_mixin_and_out_of_it_changes_nothing_that_is_stored(parties: Live) -> None:
    ann = parties.create("person", name="Ann", city="Bonn")
    before = parties.columns()
    parties.site.addon("placed.yaml", "mixin: placed\nfields:\n" + CITY)
    parties.site.addon("person.yaml", PERSON.replace("fields:", "uses: [placed]\nfields:"))
    planned = parties.plan().plan
    assert [step.kind for step in planned.steps] == ["stage", "prepare", "flip"]
    parties.promote()
    assert parties.columns() == before and parties.read("person", ann)["city"] == "Bonn"
