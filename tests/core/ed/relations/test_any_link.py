"""Open links: to a record of any table, shown by its title to those who may read it, guarded when it goes."""

from __future__ import annotations

import pytest

from core.errors import BadRequest, Invalid
from tests.small_system import Small
from tests.work import statements_sent


def test_it_leads_anywhere(small: Small) -> None:
    places = {"firm": small.create("firm", name="Any firm"), "employee": small.create("employee", name="Any one"),
              "deal": small.create("deal", name="Any deal")}
    for table, id_ in places.items():
        found = small.read("event", small.create("event", name="any", subject=id_))
        assert (found["subject"], found["subject_table"], found["subject_title"][:3]) == (id_, table, "Any")


def test_an_unknown_record_is_refused(small: Small) -> None:
    for wrong in (99_999_999, 0, "x"):
        with pytest.raises(Invalid):
            small.create("event", name="x", subject=wrong)


@pytest.mark.parametrize("where, expected", [
    ("subject is firm", ["s firm"]), ("subject is party", ["s firm"]), ("subject is employee", ["s one"]),
    ("subject.firm.town == 'Ulm'", ["s firm"]), ("subject.employee is not None", ["s one"]),
    ("subject is None", ["s none"]), ("subject is not firm", ["s none", "s one"]),
    ("subject in all.employee[name == 'S one']", ["s one"]),
])
def test_conditions(small: Small, where: str, expected: list[str]) -> None:
    if not small.all("event", "name == 's none'"):
        small.create("event", name="s firm", subject=small.create("firm", name="S firm", town="Ulm"))
        small.create("event", name="s one", subject=small.create("employee", name="S one"))
        small.create("event", name="s none")
    found = small.all("event", f"({where}) and name in ['s firm', 's one', 's none']")
    assert sorted(record["name"] for record in found) == expected


def test_it_is_filtered_and_cannot_be_sorted(small: Small) -> None:
    firm = small.create("firm", name="Sorted")
    one = small.create("event", name="sorted", subject=firm)
    with small.records() as records:
        assert [r["id"] for r in records.page("event", ["name"], filters={"subject": firm}).records] == [one]
        with pytest.raises(BadRequest, match="cannot be sorted"):
            records.page("event", ["name"], order=["subject"])


def test_only_who_may_read_the_record_sees_its_title(small: Small) -> None:
    employee, person = small.create("employee", name="Hidden"), small.create("person", name="Masked", nick="Secret")
    events = [small.create("event", name="seen", subject=one) for one in (employee, person)]
    with small.records("kim") as records:
        hidden, masked = records.read("event", events)
    assert (hidden["subject"], hidden["subject_title"]) == (employee, None)
    assert (masked["subject"], masked["subject_title"]) == (person, "Masked")
    with small.records("kim") as records, pytest.raises(Invalid, match="cannot be chosen"):
        records.create("event", [{"name": "x", "subject": employee}])


def test_trash_clears_it_and_says_so_in_history(small: Small) -> None:
    firm = small.create("firm", name="Going")
    event = small.create("event", name="going", subject=firm)
    with small.records() as records:
        records.delete("firm", [firm])
        (found,) = records.read("event", [event])
        assert (found["subject"], found["subject_table"], found["_version"]) == (None, None, 2)
        assert records.history("event", event)[0].fields["subject"] == (firm, None)


def test_it_changes_to_another_table(small: Small) -> None:
    firm, employee = small.create("firm", name="From"), small.create("employee", name="To")
    event = small.create("event", name="changing", subject=firm)
    with small.records() as records:
        records.update("event", [{"id": event, "subject": employee}])
    assert small.read("event", event)["subject_table"] == "employee"


def test_titles_of_a_page_are_one_more_statement(small: Small) -> None:
    for name in ("firm", "employee", "person", "deal"):
        small.create("event", name="counted", subject=small.create(name, name=f"Counted {name}"))
    with small.records() as records, statements_sent(records.session.connection) as sent:
        page = records.page("event", ["name", "subject"], "name == 'counted'")
    assert len(page.records) == 4 and all(record["subject_title"] for record in page.records)
    assert len(sent) == 2
