"""Plural links: an array of ids, changed as a whole or by what comes and goes."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Invalid
from tests.small_system import Small


def make(small: Small, *names: str) -> tuple[int, list[int]]:
    ids = [small.create("label", name=name) for name in names]
    return small.create("paper", name="P", labels=ids), ids


def change(small: Small, paper: int, labels: Any) -> Any:
    with small.records() as records:
        records.update("paper", [{"id": paper, "labels": labels}])
    return small.read("paper", paper)["labels"]


def test_some_come_and_some_go(small: Small) -> None:
    paper, (one, two) = make(small, "a", "b")
    three = small.create("label", name="c")
    assert change(small, paper, {"add": [three, one]}) == [one, two, three]
    assert change(small, paper, {"remove": [one, 99_999_999]}) == [two, three]
    assert change(small, paper, {"add": [one], "remove": [two, three]}) == [one]
    assert change(small, paper, {"remove": [one]}) is None
    assert change(small, paper, {"add": [two]}) == [two]
    with small.records() as records:
        told = [change.fields["labels"] for change in records.history("paper", paper) if "labels" in change.fields]
    assert told[0] == ([], [two]) and told[-1] == ([], [one, two])


def test_a_new_record_takes_the_same_forms(small: Small) -> None:
    label = small.create("label", name="new")
    assert small.read("paper", small.create("paper", name="N", labels={"add": [label]}))["labels"] == [label]


@pytest.mark.parametrize("labels, said", [
    ({"add": [99_999_999]}, "cannot be chosen"), ({}, "what to"), ({"add": 5}, "list of record ids"),
    ({"add": [5], "remove": [5]}, "at once"), ({"set": []}, "what to"),
])
def test_what_is_wrong_changes_nothing(small: Small, labels: Any, said: str) -> None:
    paper, ids = make(small, "x")
    with pytest.raises(Invalid, match=said):
        change(small, paper, labels)
    assert small.read("paper", paper)["labels"] == ids


def test_it_has_a_gin_index_and_serves_conditions(small: Small) -> None:
    paper, (one, two) = make(small, "index", "other")
    assert [r["id"] for r in small.all("paper", f"{one} in labels")] == [paper]
    assert small.all("paper", f"id == {paper} and exists(labels[name == 'other'])")
    assert small.all("paper", f"id == {paper} and {two} not in labels") == []
    (found,) = small.sql("select count(*) from pg_indexes where schemaname = 'ed' and indexdef like '%gin (labels%'")
    assert found == (1,)


def test_trashing_a_label_takes_it_out_of_the_array(small: Small) -> None:
    paper, (one, two) = make(small, "stays", "goes")
    with small.records() as records:
        records.delete("label", [two])
    assert small.read("paper", paper)["labels"] == [one]
