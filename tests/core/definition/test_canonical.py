"""Hashes: what changes one, and what does not."""

from __future__ import annotations

from pathlib import Path

from core.definition import Model, build, canonical
from tests.core.definition.sets import load_set
from tests.fixtures import sample_model

TABLE = "table: lead\ntitle: Lead\nfields:\n  name: {type: text}\n  city: {type: text}\n"


def model(tmp_path: Path, text: str) -> Model:
    return load_set(tmp_path, {"addons/lead/tables/lead.yaml": text}).must()


def test_comments_and_places_do_not_count(tmp_path: Path) -> None:
    first = model(tmp_path, TABLE)
    second = model(tmp_path, "# a lead\n\n" + TABLE.replace("{type: text}\n", "\n    type: 'text'   # short\n"))
    assert first.hash == second.hash


def test_the_order_of_fields_counts(tmp_path: Path) -> None:
    lines = TABLE.splitlines(keepends=True)
    assert model(tmp_path, TABLE).hash != model(tmp_path, "".join([*lines[:3], lines[4], lines[3]])).hash


def test_a_change_and_a_definition_of_the_same_body_differ() -> None:
    assert canonical.digest("table", "a", {}) != canonical.digest("table", "a", {}, change=True)


def test_a_body_survives_storing() -> None:
    for merged in sample_model().definitions.values():
        stored = canonical.load(canonical.dump(merged.body))
        assert canonical.digest(merged.kind, merged.name, stored) == merged.hash


def test_a_model_built_from_stored_definitions_is_the_same() -> None:
    sample = sample_model()
    again = build(sample.definitions.values())
    assert again.hash == sample.hash
    assert list(again.tables) == list(sample.tables)
    assert str(again.tables["deal"].fields["weighted"].formula) == str(sample.tables["deal"].fields["weighted"].formula)
