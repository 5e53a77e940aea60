"""The reference graph: which definition names which, and at which place of a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.definition.values import BodyPath, Mark, Merged, value_at

Key = tuple[str, str]           # kind, name


@dataclass(frozen=True, slots=True)
class Reference:
    """One definition names another, or a part of it ("table.field", "choices.value"), at a path of its body.

    `inside` is where the name begins in the value there (from 0), if the value says more than the name.
    """

    kind: str
    name: str
    path: BodyPath
    to_kind: str
    to_name: str
    inside: int | None = None


class References:
    """All references of a set, by the definition that makes them; each once."""

    def __init__(self) -> None:
        self._of: dict[Key, dict[Reference, None]] = {}

    def append(self, reference: Reference) -> None:
        """Add a reference."""
        self._of.setdefault((reference.kind, reference.name), {})[reference] = None

    def extend(self, references: Iterable[Reference]) -> None:
        """Add several, such as those that were kept of a definition that did not change."""
        for reference in references:
            self.append(reference)

    def of(self, kind: str, name: str) -> tuple[Reference, ...]:
        """The references that one definition makes."""
        return tuple(self._of.get((kind, name), ()))

    def __iter__(self) -> Iterator[Reference]:
        for references in self._of.values():
            yield from references


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands in a body: in the value at the path or, with `key`, in its key, from a character on."""

    path: BodyPath
    inside: int
    key: bool = False


KEY = -1        # as `inside`: the name is the key, whatever the value says


def place(body: object, path: BodyPath, name: str, inside: int | None = None) -> Place | None:
    """Where the name that a reference means is written; None if it only follows from what is written."""
    value = value_at(body, path)
    if inside == KEY:
        found = _within(path[-1], name) if path else None
        return Place(path, found, True) if found is not None else None
    if inside is not None:
        if isinstance(value, str) and value.startswith(name, inside):
            return Place(path, inside)
        return Place(path, inside, True) if path and str(path[-1]).startswith(name, inside) else None
    if path and path[-1] == name and str(value).lstrip("-") != name:
        return Place(path, 0, True)
    found = _within(value, name)
    if found is not None:
        return Place(path, found)
    attributes = value.get("attributes") if isinstance(value, Mapping) else None
    if isinstance(attributes, Mapping) and _within(attributes.get("name"), name) is not None:
        return Place((*path, "attributes", "name"), _within(attributes.get("name"), name) or 0)
    found = _within(path[-1], name) if path else None
    return Place(path, found, True) if found is not None else None


def _within(text: object, name: str) -> int | None:
    """Where a name stands in a text that is it, or holds it as a part between dots; a sign may come before."""
    if not isinstance(text, str):
        return None
    start = len(text) - len(text.lstrip("-="))
    bare = text[start:]
    if bare == name or bare.startswith(name + "."):
        return start
    if bare.endswith("." + name):
        return len(text) - len(name)
    found = bare.find(f".{name}.")
    return start + found + 1 if found >= 0 else None


def written(reference: Reference) -> str:
    """The name as it stands at the place: the last part of what is named."""
    return reference.to_name.rpartition(".")[2]


def mark(merged: Merged, reference: Reference) -> Mark:
    """The place of a reference in a file: of the very name where that is known, else of the property."""
    found = place(merged.body, reference.path, written(reference), reference.inside)
    return position(merged, found) if found is not None else merged.mark(reference.path)


def position(merged: Merged, found: Place) -> Mark:
    """The place in a file of a name; of the property, where its text does not stand there as it is."""
    here = merged.mark(found.path)
    if found.key:
        return here if here.file.endswith(".po") else here._replace(column=here.column + found.inside)
    before = str(value_at(merged.body, found.path))[:found.inside]
    if not here.value_line or ("\n" in before and here.value_column != 1):
        return here
    column = found.inside - (before.rfind("\n") + 1)
    return Mark(here.file, here.value_line + before.count("\n"), here.value_column + column)


def names(reference: Reference, kind: str, name: str) -> bool:
    """True if a reference is to a definition, to any part of it, or (with "table.field") to that part."""
    return reference.to_kind == kind and (reference.to_name == name or reference.to_name.startswith(name + "."))
