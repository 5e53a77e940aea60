"""Trees: records below records, however deep; a record never comes above itself, whoever moves it at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from core.ed.records import Records
from core.ed.trees import above
from core.errors import Invalid
from tests.small_system import Small
from tests.work import statements_sent


def chain(small: Small, *names: str) -> list[int]:
    ids: list[int] = []
    for name in names:
        ids.append(small.create("place", name=name, into=ids[-1] if ids else None))
    return ids


def move(small: Small, **moves: Any) -> None:
    with small.records() as records:
        records.update("place", [{"id": int(key[1:]), "into": into} for key, into in moves.items()])


def names(small: Small, where: str) -> list[str]:
    return sorted(record["name"] for record in small.all("place", where))


def test_under_finds_a_record_and_all_below(small: Small) -> None:
    world, land, town = chain(small, "World", "Land", "Town")
    other = small.create("place", name="Other", into=world)
    assert names(small, f"under(into, {land})") == ["Town"]
    assert names(small, f"under(record, {land})") == ["Land", "Town"]
    assert names(small, f"under(record, {world}) and id != {world}") == ["Land", "Other", "Town"]
    assert names(small, f"under(record, {other})") == ["Other"]
    assert names(small, f"under(record, {town})") == ["Town"]


def test_a_subtree_moves_with_its_root(small: Small) -> None:
    first, middle, _last = chain(small, "First", "Middle", "Last")
    new = small.create("place", name="New")
    move(small, **{f"_{middle}": new})
    assert names(small, f"under(record, {new})") == ["Last", "Middle", "New"]
    assert names(small, f"under(record, {first})") == ["First"]


def test_no_record_comes_above_itself(small: Small) -> None:
    one, two, three = chain(small, "One", "Two", "Three")
    for below in (one, two, three):
        with pytest.raises(Invalid, match="cannot stand above itself"):
            move(small, **{f"_{one}": below})
    assert small.read("place", one)["into"] is None
    with pytest.raises(Invalid, match="cannot stand above itself"):         # two moves of one request that meet
        four, five = small.create("place", name="Four"), small.create("place", name="Five")
        move(small, **{f"_{four}": five, f"_{five}": four})


def test_two_writers_cannot_close_a_circle_together(small: Small) -> None:
    one, two = small.create("place", name="Left"), small.create("place", name="Right")
    written, refused = threading.Event(), []

    def second() -> None:
        written.wait(10)
        try:
            move(small, **{f"_{two}": one})
        except Invalid as error:
            refused.append(str(error))

    other = threading.Thread(target=second)
    other.start()
    with small.records() as records:
        records.update("place", [{"id": one, "into": two}])
        written.set()                           # the other one writes while this is not committed, and waits
        other.join(0.5)
    other.join(10)
    assert refused == ["into: A record cannot stand above itself."]
    assert small.read("place", two)["into"] is None


def test_the_way_up_is_read_by_one_statement_and_by_rights(small: Small) -> None:
    ids = chain(small, "A", "B", "C", "D")
    with small.records() as records, statements_sent(records.session.connection) as sent:
        assert [(one.id, one.title) for one in above(records.session, "place", ids[-1])] == [
            (ids[0], "A"), (ids[1], "B"), (ids[2], "C")]
        assert len(sent) == 1
        assert above(records.session, "place", ids[0]) == []
        assert above(records.session, "label", ids[0]) == []                # no tree
    with small.records("ron") as records:
        assert isinstance(records, Records) and above(records.session, "place", ids[-1]) == []


def test_what_has_something_below_cannot_go(small: Small) -> None:
    top, below = chain(small, "Top", "Below")
    with small.records() as records, pytest.raises(Invalid, match="still used by: Place Below"):
        records.delete("place", [top])
    with small.records() as records:
        records.delete("place", [below])
        records.delete("place", [top])
