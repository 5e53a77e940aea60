"""The reference is fresh and complete, and every sample in it loads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from core.definition import Loaded, load, reference
from core.definition.described import own_properties, properties, sections
from core.definition.kinds import BUILT_IN, Kind
from core.definition.kinds.form import TAGS
from core.definition.kinds.parameters import AskedSchema
from core.definition.kinds.schema import Schema
from core.definition.kinds.steps import StepSchema, Verb
from core.definition.kinds.verbs import BUILT_IN as VERBS
from core.definition.model import FormNode
from core.definition.samples import Sample, sample
from core.types.base import FieldType
from core.types.registry import registry

KINDS = pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: str(kind.name))
SAMPLES = [*(kind.name for kind in BUILT_IN), "types", "elements", "parameters", "steps"]
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


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))
def test_every_property_of_a_verb_has_a_description(verb: Verb) -> None:
    assert undescribed(verb.schema) == []


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
    assert {key for key, _ in properties(kind.schema)} - used == set()


@KINDS
def test_a_sample_uses_every_property_inside_its_kind(kind: Kind) -> None:
    missing = unused(kind.schema, [one.definition.body for one in the_sample(kind.name).of(kind.name)
                                   if one.definition])
    assert missing == [] or kind.name == "mixin"        # its sections are those of tables


def unused(schema: type[BaseModel], bodies: list[dict[str, object]]) -> list[str]:
    """The properties inside a schema that no body has; those of shared pages are shown there."""
    return [f"{section.path}.{key}" for section in sections(schema, reference.SHARED)
            if section.path and section.same_as is None and not section.elsewhere
            for key, _ in own_properties(section.model, shared_base(section.model))
            if not any(at_path(body, section.path.split("."), key) for body in bodies)]


def shared_base(model: type[BaseModel]) -> type[BaseModel]:
    """The schema with a page of its own that another extends; nothing's schema if it extends none."""
    return next((shared for shared in reference.SHARED if issubclass(model, shared)), Schema)


def test_the_sample_of_parameters_uses_every_property() -> None:
    shown = the_sample("parameters")
    said = [one for file in (*shown.of("query"), *shown.of("agent")) if file.definition
            for one in members(file.definition.body, ("parameters", "ask"))]
    assert {key for key, _ in properties(AskedSchema)} - {key for one in said for key in one} == set()


def members(body: object, words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """The members of all collections of some names in a body."""
    for key, value in body.items() if isinstance(body, dict) else ():
        if key in words and isinstance(value, dict):
            yield from (one for one in value.values() if isinstance(one, dict))
        yield from members(value, words)


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: str(verb.name))
def test_the_sample_of_steps_uses_every_property_of_every_verb(verb: Verb) -> None:
    shown = the_sample("steps")
    steps = [step for file in (*shown.of("agent"), *shown.of("scenario"), *shown.of("workflow")) if file.definition
             for step in members(file.definition.body, ("do", "else", "then")) if verb.name in step]
    assert steps, f'no step with "{verb.name}"'
    assert {key for key, _ in properties(verb.schema)} - {key for step in steps for key in step} == set()
    assert unused(verb.schema, steps) == []


@pytest.mark.parametrize("key", [key for key, _ in properties(StepSchema)])
def test_the_sample_of_steps_uses_what_every_step_may_have(key: str) -> None:
    assert any(key in step for file in the_sample("steps").of("agent") if file.definition
               for step in members(file.definition.body, ("do", "else", "then")))


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
    known = {name: {key for key, _ in properties(kind.properties)} for name, kind in registry().items()}
    assert {name: known[name] - used.get(name, set()) for name in known
            if name not in used or known[name] - used[name]} == {}


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
