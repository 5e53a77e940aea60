"""Links through a table between: a set in expressions, ids to read, rows of the table between when written."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import BadRequest, Denied, Invalid, NotFound
from tests.small_system import Small
from tests.work import statements_sent


def make(small: Small, name: str, *people: str, **more: Any) -> tuple[int, list[int]]:
    ids = [small.create("person", name=one) for one in people]
    return small.create("firm", name=name, people=ids, **more), ids


def between(small: Small, firm: int) -> list[tuple[int, int]]:
    with small.records() as records:
        rows = records.page("affiliation", ["person"], f"firm == {firm}", order=["id"]).records
    return [(row["id"], row["person"]) for row in rows]


def write(small: Small, firm: int, people: Any, user: str = "ada") -> None:
    with small.records(user) as records:
        records.update("firm", [{"id": firm, "people": people}])


def test_it_reads_as_ids_with_titles(small: Small) -> None:
    firm, ids = make(small, "Read", "Rita", "Rolf")
    found = small.read("firm", firm)
    assert (found["people"], found["people_title"]) == (ids, ["Rita", "Rolf"])
    assert small.read("person", ids[0])["firms"] == [firm]
    lone = small.create("firm", name="Lone")
    assert (small.read("firm", lone)["people"], small.read("firm", lone)["people_title"]) == (None, None)


def test_the_whole_list_adds_and_removes_rows(small: Small) -> None:
    firm, (_one, two) = make(small, "Whole", "Wim", "Wanda")
    new = small.create("person", name="Will")
    kept = between(small, firm)[1][0]
    write(small, firm, [two, new])
    assert [person for _, person in between(small, firm)] == [two, new]
    assert between(small, firm)[0][0] == kept                   # what stays linked keeps its row, with all it says
    with small.records() as records:
        assert len(records.read("affiliation", [kept - 1], ["id"], trash=True)) == 1       # and the other is in the trash
    write(small, firm, [])
    assert between(small, firm) == []


def test_some_are_added_and_removed(small: Small) -> None:
    firm, (one, two) = make(small, "Some", "Sid", "Sue")
    new = small.create("person", name="Sam")
    write(small, firm, {"add": [new, two], "remove": [one, 99_999_999]})
    assert [person for _, person in between(small, firm)] == [two, new]
    write(small, firm, {"remove": [new]})
    assert [person for _, person in between(small, firm)] == [two]


@pytest.mark.parametrize("value, said", [
    (5, "list of record ids"), ([0], "id of a record"), ({"put": [1]}, "what to"),
    ({"add": [1], "remove": [1]}, "added and removed"), ([99_999_999], "cannot be chosen"),
])
def test_what_is_wrong_is_told_at_the_field(small: Small, value: Any, said: str) -> None:
    firm, _ = make(small, "Wrong")
    with pytest.raises(Invalid, match=said) as error:
        write(small, firm, value)
    assert error.value.problems[0].field.partition(".")[0] == "people"
    assert between(small, firm) == []


def test_the_rules_of_the_table_between_hold_and_its_history_tells(small: Small) -> None:
    firm, _ = make(small, "Ruled", town="Rival")
    person = small.create("person", name="Rob")
    with pytest.raises(Invalid, match="Not with them"):
        write(small, firm, [person])
    with small.records() as records:
        records.update("firm", [{"id": firm, "town": "Bonn", "people": [person]}])
        ((row, _),) = between_rows = [(one["id"], one["person"]) for one in records.page(
            "affiliation", ["person"], f"firm == {firm}").records]
        assert between_rows
        assert [change.fields["person"] for change in records.history("affiliation", row)] == [(None, person)]
        version = records.read("firm", [firm])[0]["_version"]
        records.update("firm", [{"id": firm, "people": {"remove": [person]}}])
        assert records.read("firm", [firm])[0]["_version"] == version + 1          # whoever read the old list is told


@pytest.mark.parametrize("where, expected", [
    ("count(people) == 2", ["Set one"]),
    ("exists(people[name == 'Olga'])", ["Set one"]),
    ("exists(people[mobile is None and secret is None])", ["Set one", "Set two"]),
    ("list(people.name, order=name) == 'Olaf, Olga'", ["Set one"]),
    ("any(people, name == 'Tom') and not exists(people[name == 'Olga'])", ["Set two"]),
    ("first(people, order=-name).name == 'Olga'", ["Set one"]),
])
def test_it_is_a_set_in_conditions(small: Small, where: str, expected: list[str]) -> None:
    if not small.all("firm", "name == 'Set one'"):
        make(small, "Set one", "Olaf", "Olga")
        make(small, "Set two", "Tom")
        make(small, "Set none")
    found = small.all("firm", f"({where}) and name in ['Set one', 'Set two', 'Set none']")
    assert sorted(record["name"] for record in found) == expected


def test_it_is_a_filter(small: Small) -> None:
    firm, (one, two) = make(small, "Filter", "Fay", "Fred")
    with small.records() as records:
        def found(value: Any) -> list[int]:
            return [r["id"] for r in records.page("firm", ["name"], f"id == {firm}", filters={"people": value}).records]
        assert (found(one), found([two, 5]), found(firm), found(None)) == ([firm], [firm], [], [])
        with pytest.raises(BadRequest, match="by the id"):
            found("x")
        assert records.count("firm", f"{one} in people") == (1, False)


def test_trash_takes_links_along_and_back(small: Small) -> None:
    firm, (one, two) = make(small, "Trash", "Tia", "Tor")
    with small.records() as records:
        records.delete("person", [one])
    assert small.read("firm", firm)["people"] == [two]
    with small.records() as records:
        records.restore("person", [one])
    assert small.read("firm", firm)["people"] == [one, two]


def test_any_number_of_links_reads_with_one_statement(small: Small) -> None:
    make(small, "Many", *(f"M{number}" for number in range(9)))
    with small.records() as records, statements_sent(records.session.connection) as sent:
        records.page("firm", ["name", "people"])
    assert len(sent) == 1


# Past case 10 (relation escalation): writing a relation takes rights on both ends, and on the table between.

def test_past_case_10_changing_links_takes_rights_on_the_table_between(small: Small) -> None:
    firm, (one,) = make(small, "Ten", "Tess")
    new = small.create("person", name="Theo")
    before = between(small, firm)
    for people in ([one, new], [], {"add": [new]}, {"remove": [one]}):
        with pytest.raises(Denied):
            write(small, firm, people, "ron")               # who may change firms and see persons, not link them
    assert between(small, firm) == before


def test_past_case_10_the_record_itself_must_be_writable(small: Small) -> None:
    firm, (one,) = make(small, "Ten more", "Tilo")
    with small.records("kim") as records:
        with pytest.raises((Denied, NotFound)):
            records.update("person", [{"id": one, "firms": []}])        # kim may link, but not change persons
    assert len(between(small, firm)) == 1


def test_past_case_10_what_may_not_be_chosen_is_not_linked(small: Small) -> None:
    hidden, seen = small.create("person", name="Hidden", nick="boss"), small.create("person", name="Open", nick="o")
    firm, _ = make(small, "Ten last")
    for people in ([hidden], {"add": [hidden]}, [seen, hidden], [small.users["ada"]]):
        with pytest.raises(Invalid, match="cannot be chosen"):
            write(small, firm, people, "lin")               # who links persons, but sees no boss
    assert between(small, firm) == []
    write(small, firm, [seen], "lin")
    assert [person for _, person in between(small, firm)] == [seen]
    write(small, firm, {"add": [hidden]})
    found = small.read("firm", firm)
    assert (found["people"], found["people_title"]) == ([hidden, seen], ["Hidden", "Open"])
    with small.records("lin") as records:
        (found,) = records.read("firm", [firm], ["people"])
        assert (found["people"], found["people_title"]) == ([hidden, seen], [None, "Open"])    # an id, never a title


def test_past_case_10_roles_are_given_by_nobody_else(small: Small) -> None:
    """The relation that is a right: neither its rows nor a list of them in a user is taken from a low role."""
    kim = small.users["kim"]
    with small.records("kim") as records:
        for body in ({"user": kim, "role": "administrator"}, {"user": small.users["ron"], "role": "clerk"}):
            with pytest.raises(Denied):
                records.create("role_assignment", [body])
        with pytest.raises(Denied):
            records.create("team", [{"name": "Mine", "members": [kim]}])


def test_rows_that_one_does_not_see_stay(small: Small) -> None:
    """A clerk who only peeks at persons sees who is linked; the whole list they send leaves out nobody unseen."""
    firm, (one,) = make(small, "Seen", "Sina")
    with small.records("kim") as records:
        (found,) = records.read("firm", [firm], ["name"])
        assert found["name"] == "Seen"
        assert "people" not in records.readable("firm")         # persons themselves may not be read
        with pytest.raises(Invalid, match="no such field"):
            records.update("firm", [{"id": firm, "people": []}])
    assert [person for _, person in between(small, firm)] == [one]
