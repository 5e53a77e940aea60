"""Older formats of bodies: each is read through pure functions, one from each format to the next.

A kind whose bodies change shape raises its `format` and appends a function to `upcasts`. A file says which format it is
written in (`format: 2`); one that says nothing is of the first. Stored versions keep the format with each body.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace

from core.definition.canonical import digest
from core.definition.kinds.base import Kind
from core.definition.values import Body, Merged


def split(body: Body) -> tuple[Body, object]:
    """A file's body without its `format`, and that; a text there is a property of the kind, and no format."""
    said = body.get("format", 1)
    if isinstance(said, str) and said.isascii() and said.isdigit():      # in XML all is text
        said = int(said)
    if "format" not in body or isinstance(said, str):
        return body, 1
    return {key: value for key, value in body.items() if key != "format"}, said


def fault(kind: Kind, said: object) -> str | None:
    """Why a body of this format cannot be read, or None."""
    if isinstance(said, bool) or not isinstance(said, int) or said < 1:
        return "a format is a whole number, 1 or more"
    if said > kind.format:
        return f"this {kind.name} is of format {said}; this release reads formats up to {kind.format}"
    return None


def current(kind: Kind, body: Body, said: int, change: bool = False) -> Body:
    """A body of an older format in that of now; `change` tells that it holds only what a layer changes."""
    for upcast in kind.upcasts[said - 1:]:
        body = upcast(deepcopy(body), change)
    return body


def all_current(merged: Iterable[Merged], kinds: Mapping[str, Kind]) -> Iterator[Merged]:
    """Stored definitions in the formats of now."""
    for one in merged:
        kind = kinds.get(one.kind)
        if kind is None or one.format >= kind.format:
            yield one
            continue
        body = current(kind, one.body, one.format)
        yield replace(one, body=body, format=kind.format, hash=digest(one.kind, one.name, body, format=kind.format))
