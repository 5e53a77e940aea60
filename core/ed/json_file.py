"""Rows of a JSON file: a list of objects, an export of ours, or an object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import Refused

MARK = "\0"                          # before a list or an object among texts, where it can be nothing else
BESIDE = ("_title", "_table", "_trashed")           # what our own exports say beside a field
OURS = frozenset(("id", "_version", "_type"))


def is_json(text: str) -> bool:
    """Whether a text begins as JSON does and CSV does not."""
    start = text[:1_000].lstrip()
    return start.startswith(("{\"", "[{", "{}", "[]")) or (start[:1] in "[{" and start[1:].lstrip()[:1] in "\"{]}")


def json_rows(text: str, name: str) -> Iterator[tuple[str, ...]]:
    """A header, the names of all fields, then a row of texts for each object. Raises Refused.

    Keys that only our exports add (`id`, `company_title` beside `company`) are left out.
    """
    objects = list(_objects(text, name))
    keys = list(dict.fromkeys(key for one in objects for key in one))
    kept = [key for key in keys if key not in OURS and not any(
        key.endswith(ending) and key.removesuffix(ending) in keys for ending in BESIDE)]
    if not kept:
        return
    yield tuple(kept)
    for one in objects:
        yield tuple(_text(one.get(key)) for key in kept)


def _objects(text: str, name: str) -> Iterator[Mapping[str, Any]]:
    try:
        whole: Any = json.loads(text)
    except RecursionError:
        raise Refused(f"{name}: is nested too deep") from None
    except ValueError:
        yield from _lines(text, name)
        return
    if isinstance(whole, dict):
        whole = whole["records"] if isinstance(whole.get("records"), list) else [whole]
    for number, one in enumerate(whole, 1):
        yield _object(one, f"{name}: record {number}")


def _lines(text: str, name: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                one = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise Refused(f"{name}:{number}: is no JSON: {error}") from None
            yield _object(one, f"{name}:{number}")


def _object(one: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(one, dict):
        raise Refused(f"{place}: is no object of fields")
    return one


def _text(value: Any) -> str:
    """A value as a file of cells would have it; lists and objects stay JSON, with a mark before them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return MARK + json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
