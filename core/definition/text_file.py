"""Definitions that are mostly one text: a file that begins with its properties between lines of ---, then the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from core.definition import yaml
from core.definition.source import Source, decode
from core.definition.values import Body, BodyPath, Mark, Places
from core.errors import Problem

FOLDER = "templates"
FORMATS = {".html": "html", ".txt": "text"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_HEAD = re.compile(r"---[ \t]*\r?\n(?P<head>.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def read(data: bytes, file: str) -> tuple[object, Mapping[BodyPath, Mark], list[Problem]]:
    """The properties with the text as `body` and its `format`, and the place of each; as `yaml.read` gives them."""
    problems: list[Problem] = []
    text = decode(data, file, problems)
    if text is None:
        return None, {}, problems
    head = _HEAD.match(text)
    if head is None:
        problems.append(Problem(file, 1, 1, "a template's file begins with its properties between two lines of ---"))
        return None, {}, problems
    control = _CONTROL.search(text)
    if control is not None:
        problems.append(Source(file, text).at(control.start(), "a file may not hold control characters"))
        return None, {}, problems
    body, positions, problems = yaml.read(text[:head.end("head")].encode(), file)
    if isinstance(body, dict) and isinstance(positions, Places):
        positions = _with_text(body, positions, text, head.end(), problems)
    return body, positions, problems


def _with_text(body: Body, places: Places, text: str, start: int, problems: list[Problem]) -> Places:
    """Add what stands below the properties to them."""
    if "body" in body:
        problems.append(places[("body",)].problem("the text stands below the second ---, so it cannot stand here"))
        return places
    line = text.count("\n", 0, start) + 1
    numbers = places.numbers[:]
    body["body"] = text[start:].replace("\r\n", "\n")
    numbers.extend((line, 1, line, 1))
    if "format" not in body and "change" not in body:
        body["format"] = FORMATS[Path(places.file).suffix]
        numbers.extend((1, 1, 1, 1))
    return Places(places.file, body, numbers)
