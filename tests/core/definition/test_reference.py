"""The reference is fresh and complete, and every sample in it loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.definition import Loaded, load, reference
from core.definition.described import properties, sections
from core.definition.kinds import BUILT_IN, Kind
from core.definition.kinds.form import TAGS
from core.definition.model import FormNode
from core.definition.samples import Sample, sample
from core.types.base import FieldType
from core.types.registry import registry

KINDS = pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
SAMPLES = [*(kind.name for kind in BUILT_IN), "types", "elements"]
MOVES = {"change", "after", "before", "first", "last"}


def the_sample(name: str) -> Sample:
    return sample(name, reference.KINDS)


def loaded(shown: Sample, project: Path) -> Loaded:
    """A sample over the addon `base`."""
    return load([shown.folder, project / "addons" / "base"], shown.site, root=shown.folder)


@pytest.mark.parametrize("path", sorted(reference.pages()), ids=lambda path: path.name)
def test_a_page_says_what_the_schemas_and_samples_say(path: Path) -> None:
    assert path.is_file() and path.read_text() == reference.pages()[path], "run: python -m core.definition.reference"


def test_there_is_no_page_of_what_is_no_more() -> None:
    written = set((reference.DOCS / "definitions").iterdir())
    assert written <= set(reference.pages())


@KINDS
def test_every_property_has_a_description(kind: Kind) -> None:
    assert undescribed(kind.schema) == []


@pytest.mark.parametrize("kind", registry().values(), ids=lambda kind: str(kind.name))
def test_every_property_of_a_type_has_a_description(kind: FieldType[Any]) -> None:
    assert undescribed(kind.properties) == []


def undescribed(model: type[BaseModel]) -> list[str]:
    return [f"{section.model.__name__}.{key}" for section in sections(model)
            for key, info in properties(section.model) if not (info.description or "").endswith(".")]


@KINDS
def test_no_property_is_called_like_a_kind_or_a_move(kind: Kind) -> None:
    words = {other.name for other in BUILT_IN} | MOVES
    assert not words & set(kind.schema.model_fields)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_loads_without_problems(name: str, project: Path) -> None:
    shown = the_sample(name)
    assert shown.files, f"core/definition/samples/{name} holds no sample"
    assert [str(problem) for problem in loaded(shown, project).problems] == []


@KINDS
def test_a_sample_uses_every_property_of_its_kind(kind: Kind) -> None:
    shown = the_sample(kind.name)
    used = {key for one in shown.of(kind.name) if one.definition for key in one.definition.body}
    known = {key for key, _ in properties(kind.schema)}
    assert used - {"changes"} == known


@KINDS
def test_a_sample_uses_every_property_inside_its_kind(kind: Kind) -> None:
    """What stands in a mapping that its own page describes; a sample of another kind may show it as well."""
    bodies = [one.definition.body for one in the_sample(kind.name).of(kind.name) if one.definition]
    missing = [f"{section.path}.{key}" for section in sections(kind.schema) if section.same_as is None
               for key, _ in properties(section.model)
               if section.path and not any(at_path(body, section.path.split("."), key) for body in bodies)]
    assert missing == [] or kind.name == "mixin"        # its sections are those of tables


def at_path(body: object, path: list[str], key: str) -> bool:
    """Whether a mapping at the path has the key; NAME stands for any member."""
    if isinstance(body, list):
        return any(at_path(one, path, key) for one in body)
    if not isinstance(body, dict):
        return False
    if not path:
        return key in body
    inner = body.values() if path[0] == "NAME" else [body.get(path[0])]
    return any(at_path(one, path[1:], key) for one in inner)


@KINDS
def test_a_page_says_what_is_needed_and_what_is_checked(kind: Kind) -> None:
    about = the_sample(kind.name).about
    assert "## What an implementer needs" in about and "## What is checked" in about


def test_the_sample_of_types_has_every_type_with_every_property() -> None:
    used: dict[str, set[str]] = {}
    for one in the_sample("types").of("table"):
        assert one.definition is not None
        fields = one.definition.body["fields"]
        assert isinstance(fields, dict)
        for field in fields.values():
            used.setdefault(field["type"], set()).update(field)
    missing = {name: set(kind.properties.model_fields) - used.get(name, set()) for name, kind in registry().items()
               if name not in used or set(kind.properties.model_fields) - used[name]}
    assert missing == {}


@pytest.mark.parametrize("name", registry())
def test_the_page_of_types_says_how_a_value_travels(name: str) -> None:
    assert f"\n## {name}\nWire form:" in the_sample("types").about


def test_the_sample_of_elements_has_every_element_with_every_attribute(project: Path) -> None:
    model = loaded(the_sample("elements"), project).must()
    used: dict[str, set[str]] = {}
    for node in nodes(model.forms["bike"].root):
        used.setdefault(node.tag, set()).update(node.attributes)
    missing = {name: set(tag.attributes) - used.get(name, set()) for name, tag in TAGS.items()}
    assert set(used) == set(TAGS) and not any(missing.values()), missing


def nodes(root: FormNode) -> Iterator[FormNode]:
    yield from (node for node in root.walk() if node.tag != "form")
