"""What a plan says of shipped records before anything is done: in numbers, and value by value where people's stay."""

from __future__ import annotations

from core.bm.planning import describe
from tests.core.bm.changes.test_seeds import FIRMS, change, companies
from tests.core.bm.conftest import Live
from tests.core.bm.sites import ADDON

MORE = "  Globex: {size: 7}\n"


def seeds(system: Live) -> dict[str, str]:
    """The notes of the seed steps."""
    return {step.target: str(step.note) for step in system.plan().plan.steps if step.kind == "seed"}


def notes(system: Live) -> list[str]:
    return [str(note) for note in system.plan().plan.notes]


def seeded(system: Live) -> None:
    system.site.write("firms.yaml", FIRMS)
    system.promote()


def test_records_of_a_new_definition_come_in_and_those_of_people_stay(system: Live) -> None:
    system.create("company", name="Acme", size=7)
    system.site.write("firms.yaml", FIRMS)
    assert seeds(system) == {"data firms": "1 record comes in, 1 is there already, made by people"}
    assert 'data firms: people have entered "Acme" already; those stay as they are' in notes(system)


def test_what_changes_and_what_people_changed_is_counted_and_shown(system: Live) -> None:
    seeded(system)
    change(system, "Acme", size=99)
    system.site.write("firms.yaml", FIRMS.replace("size: 10, kind: customer", "size: 20, kind: partner")
                      .replace("size: 3", "size: 4") + MORE)
    assert seeds(system) == {"data firms": "1 record comes in, 2 change, 1 keeps what people changed"}
    assert notes(system) == ['data firms: "Acme" keeps size 99, as people set it; 20 is shipped now']
    assert "1 record comes in, 2 change, 1 keeps what people changed" in describe.as_text(system.plan().plan)
    with_numbers = system.plan().plan.hash
    system.create("company", name="Globex", size=1)
    assert system.plan().plan.hash == with_numbers      # what users do meanwhile makes no other plan


def test_records_thrown_away_and_those_no_longer_shipped(system: Live) -> None:
    seeded(system)
    acme = companies(system)["Acme"]["id"]
    system.records(lambda records: records.delete("company", [companies(system)["Acme North"]["id"]]))
    system.site.write("firms.yaml", FIRMS.replace("  Acme: {size: 10, kind: customer}\n", "").replace(", parent: Acme", "")
                      .replace("size: 3", "size: 4"))
    assert seeds(system) == {"data firms": "1 was thrown away by people and stays away"}
    assert notes(system) == ['data firms no longer ships "Acme": what is in live stays, as people\'s own']
    system.site.write("firms.yaml", None)
    assert 'data firms no longer ships "Acme", "Acme North": what is in live stays, as people\'s own' in notes(system)
    system.promote()
    assert system.read("company", acme)["name"] == "Acme"


def test_links_are_shown_by_what_they_are_called_and_renamed_fields_by_their_name_of_now(system: Live) -> None:
    seeded(system)
    other = system.create("company", name="Other Ltd")
    change(system, "Acme North", parent=other, size=5)
    system.site.addon("company.yaml", ADDON["company.yaml"].replace("  size: {type: integer}",
                                                                    "  staff: {type: integer, was: size}"))
    system.site.write("firms.yaml", FIRMS.replace("size: 10", "staff: 10").replace("size: 3", "staff: 4")
                      .replace("parent: Acme", "parent: Globex") + "  Globex: {}\n")
    assert seeds(system) == {"data firms": "1 record comes in, 1 keeps what people changed"}
    assert notes(system) == ['data firms: "Acme North" keeps staff 5, as people set it; 4 is shipped now',
                             'data firms: "Acme North" keeps parent Other Ltd, as people set it; Globex is shipped now']


def test_a_record_that_could_not_come_in_is_tried_with_the_next_promotion(system: Live) -> None:
    system.site.write("ours.yaml", "change: table company\nunique: {size: {fields: [size]}}\n")
    mine = system.create("company", name="Mine", size=10)
    seeded(system)
    assert sorted(companies(system)) == ["Mine"]
    system.records(lambda records: records.delete("company", [mine]))
    assert system.plan().plan.empty
    system.site.write("more.yaml", "change: table company\nfields: {city: {type: text}}\n")
    assert seeds(system) == {"data firms": "2 records come in"}
    system.promote()
    assert sorted(companies(system)) == ["Acme", "Acme North"]
