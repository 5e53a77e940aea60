"""Schema errors in words: all at once, each with its place and the nearest thing that would do."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from core.definition.names import suggestion
from core.definition.shapes import shape_of
from core.definition.values import Body, BodyPath, Merged

if TYPE_CHECKING:
    from core.definition.building import Building

_EXPECTED = {
    "string_type": "a text is expected here: put it in quotes", "bool_type": "true or false is expected here",
    "int_type": "a whole number is expected here", "list_type": "a list is expected here, such as [a, b]",
    "dict_type": "a mapping of names is expected here", "model_type": "a mapping is expected here, such as {}",
    "model_attributes_type": "a mapping is expected here, such as {}",
    "too_short": "at least one is needed here",
    "float_type": "a number is expected here", "decimal_type": "a number is expected here",
    "int_parsing": "a whole number is expected here", "bool_parsing": "true or false is expected here"}
_BOUNDS = {"less_than_equal": ("at most", "le"), "greater_than_equal": ("at least", "ge")}


def tell_all(error: ValidationError, merged: Merged, path: BodyPath, building: Building, model: type[BaseModel],
             what: str, more: Iterable[str] = ()) -> None:
    """Tell every problem of a ValidationError, at its place under `path`; `more` are properties that others know."""
    for item in error.errors(include_url=False):
        shape = shape_of(model)
        for part in item["loc"][:-1]:
            shape = shape.member(str(part))
        building.tell(merged, _place(merged, (*path, *item["loc"])), message(item, [*shape.known, *more], what))


def message(item: Any, known: Iterable[str], what: str) -> str:
    """What one schema error says."""
    kind, value = item["type"], item.get("input")
    name = item["loc"][-1] if item["loc"] else ""
    if kind == "missing":
        return f'{what} needs "{name}"' if len(item["loc"]) == 1 else f'"{name}" is missing here'
    if kind == "extra_forbidden":
        return f'unknown property "{name}"' + suggestion(str(name), known)
    if kind == "literal_error":
        expected = [part.strip("'") for part in item["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        return f'"{value}" is not one of {", ".join(expected)}' + suggestion(str(value), expected)
    if kind in _BOUNDS:
        word, bound = _BOUNDS[kind]
        return f"a number of {word} {item['ctx'][bound]} is expected here, not {value}"
    if kind in _EXPECTED:
        got = "" if value is None or isinstance(value, (dict, list, str)) else f", not {str(value).lower()}"
        head, colon, rest = _EXPECTED[kind].partition(":")
        return head + got + colon + rest
    text: str = item["msg"]
    return text[:1].lower() + text[1:].removeprefix("Input ")


def _place(merged: Merged, loc: Sequence[str | int]) -> BodyPath:
    """The place of an error: the longest part of its path that is in the body, tags of unions left out."""
    value: object = merged.body
    place: list[str | int] = []
    for part in loc:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        place.append(part)
    return tuple(place)


def prune(merged: Merged, error: ValidationError) -> Merged | None:
    """The definition without the properties and members that are wrong; None if nothing useful is left."""
    body = copy.deepcopy(merged.body)
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        place = _place(merged, item["loc"])
        while place and isinstance(place[-1], int):
            place = place[:-1]          # a list goes as a whole, for its places are counted
        if not place or not _take(body, place):
            return None
    return replace(merged, body=body) if body != merged.body else None


def _take(body: Body, place: BodyPath) -> bool:
    """Take a member out of a body; True if it is out now."""
    holder: object = body
    for part in place[:-1]:
        if isinstance(holder, list) and isinstance(part, int):
            holder = holder[part]
        else:
            holder = holder.get(str(part)) if isinstance(holder, dict) else None
    if isinstance(holder, dict):
        holder.pop(str(place[-1]), None)
        return True
    return holder is None
