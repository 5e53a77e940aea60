"""Lines: saved with their record at any depth; unnamed ones stay, removed ones go, all or nothing."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from tests.small_system import Small
from tests.work import statements_sent


def firm(small: Small, *jobs: str) -> tuple[int, list[int]]:
    made = small.create("firm", name="Lines", members=[
        {"person": small.create("person", name=f"P {job}"), "job": job} for job in jobs])
    return made, [line["id"] for line in small.read("firm", made)["members"]]


def jobs(small: Small, id_: int) -> list[str]:
    return [line["job"] for line in small.read("firm", id_)["members"]]


def save(small: Small, id_: int, *lines: dict[str, Any]) -> None:
    with small.records() as records:
        records.update("firm", [{"id": id_, "members": list(lines)}])


def test_lines_change_go_come_and_stay(small: Small) -> None:
    made, (one, two, three) = firm(small, "a", "b", "c")
    new = small.create("person", name="New")
    save(small, made, {"id": one, "job": "a2"}, {"id": two, "_delete": True}, {"person": new, "job": "d"})
    assert jobs(small, made) == ["a2", "c", "d"]
    assert small.read("firm", made)["members"][1]["id"] == three
    save(small, made)
    assert jobs(small, made) == ["a2", "c", "d"]            # no line was named, so all stay


def test_links_and_lines_over_the_same_rows_agree(small: Small) -> None:
    made, (one, two) = firm(small, "x", "y")
    people = small.read("firm", made)["people"]
    save(small, made, {"id": one, "_delete": True})
    assert small.read("firm", made)["people"] == people[1:]
    with small.records() as records, pytest.raises(Invalid, match="named twice"):      # one row by both ways
        records.update("firm", [{"id": made, "people": [], "members": [{"id": two, "job": "z"}]}])
    assert jobs(small, made) == ["y"]


def test_one_wrong_line_leaves_all_as_it_was(small: Small) -> None:
    made, (one, two) = firm(small, "p", "q")
    other, (foreign,) = firm(small, "foreign")
    for wrong in ({"id": foreign, "job": "stolen"}, {"id": foreign, "_delete": True}, {"job": "nobody"},
                  {"id": 99_999_999, "job": "x"}, {"_delete": True}):
        with pytest.raises(Invalid) as error:
            save(small, made, {"id": one, "job": "changed"}, wrong)
        assert all(problem.field.startswith("members.1") for problem in error.value.problems)
        assert (jobs(small, made), jobs(small, other)) == (["p", "q"], ["foreign"])
    assert two


def test_the_number_of_statements_does_not_grow_with_the_lines(small: Small) -> None:
    few, many = firm(small, *"ab"), firm(small, *"abcdefghij")
    sent = []
    for made, lines in (few, many, few, many):
        with small.records() as records, statements_sent(records.session.connection) as found:
            records.update("firm", [{"id": made, "members": [{"id": one, "job": f"{one} {len(sent)}"} for one in lines]}])
        sent.append(len(found))
    assert sent[2] == sent[3]


def test_lines_stand_in_lines_and_are_locked_from_the_outside_in(small: Small) -> None:
    with small.records() as records:
        (deal,) = records.create("deal", [{"name": "Deep", "lines": [{"item": "one"}, {"item": "two"}]}])
        (found,) = records.read("deal", [deal])
        first = found["lines"][0]["id"]
        with statements_sent(records.session.connection) as sent:
            records.update("deal", [{"id": deal, "name": "Deeper", "lines": [{"id": first, "quantity": 3}]}])
        locks = [statement for statement in sent if "FOR NO KEY UPDATE" in statement or "FOR UPDATE" in statement]
        assert len(locks) == 2 and all("ORDER BY" in statement for statement in locks)
        assert "deal_" in locks[0].split("WHERE")[0] and "line_" in locks[1].split("WHERE")[0]
