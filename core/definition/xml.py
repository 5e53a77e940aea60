"""Read one XML file into elements with places; document types and entities are refused before they are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from core.definition.source import MAX_DEPTH, MAX_FILE, Source, decode
from core.definition.values import Mark
from core.errors import Problem

MAX_ELEMENTS = 10_000
MAX_ATTRIBUTES = 50
_ATTRIBUTE = re.compile(r"""\s+([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*')""")


@dataclass(eq=False)
class Element:
    """An element, its attributes in order, and where each stands."""

    tag: str
    mark: Mark
    attributes: dict[str, str] = field(default_factory=dict)
    marks: Mapping[str, Mark] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)


class _Stop(Exception):
    """Reading cannot go on; the problem is told."""


def read(data: bytes, file: str) -> tuple[Element | None, list[Problem]]:
    """Read a file; the root is None if it is too broken to go on."""
    problems: list[Problem] = []
    if len(data) > MAX_FILE:
        return None, [Problem(file, 1, 1, f"this file is larger than {MAX_FILE // 1_000_000} MB")]
    text = decode(data, file, problems)
    if text is None:
        return None, problems
    reader = _Reader(Source(file, text), problems)
    try:
        reader.parser.Parse(reader.data, True)
    except expat.ExpatError as error:
        problems.append(reader.syntax(error))
        return None, problems
    except _Stop:
        return None, problems
    return reader.root, problems


class _Reader:
    """Builds elements from expat's events; expat tells columns, which lxml does not."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.data = source.text.encode()
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.count = 0
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self.parser = parser

    def _here(self) -> int:
        byte = self.parser.CurrentByteIndex
        return byte if self.source.text.isascii() else len(self.data[:byte].decode())

    def _doctype(self, *_: object) -> None:
        place = self.source.text.find("<!DOCTYPE")
        self.problems.append(self.source.at(max(place, 0), "a document type (<!DOCTYPE ...>) is not allowed"))
        raise _Stop

    def _start(self, tag: str, attributes: list[str]) -> None:
        self.count += 1
        index = self._here()
        mark = self.source.mark(index)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(mark, f"this is nested deeper than {MAX_DEPTH} levels")
        if self.count > MAX_ELEMENTS:
            self._stop(mark, f"a file holds at most {MAX_ELEMENTS} elements")
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            self._stop(mark, f"an element has at most {MAX_ATTRIBUTES} attributes")
        element = Element(tag, mark, dict(zip(attributes[::2], attributes[1::2], strict=True)),
                          self._marks(index, tag))
        if self.stack:
            self.stack[-1].children.append(element)
        else:
            self.root = element
        self.stack.append(element)

    def _end(self, _: str) -> None:
        self.stack.pop()

    def _text(self, text: str) -> None:
        if text.strip():
            self.problems.append(self.source.at(
                self._here(), f'the text "{text.strip()[:30]}" stands between elements: '
                              "a form's texts are attributes"))

    def _marks(self, index: int, tag: str) -> dict[str, Mark]:
        marks = {}
        position = index + 1 + len(tag)
        while match := _ATTRIBUTE.match(self.source.text, position):
            key = self.source.mark(match.start(1))
            value = self.source.mark(match.start(2) + 1)
            marks[match[1]] = key._replace(value_line=value.line, value_column=value.column)
            position = match.end()
        return marks

    def _stop(self, mark: Mark, message: str) -> None:
        self.problems.append(mark.problem(message))
        raise _Stop

    def syntax(self, error: expat.ExpatError) -> Problem:
        """Say what the parser stumbled over."""
        said = expat.errors.messages[error.code]
        if self.stack and said in (expat.errors.XML_ERROR_NO_ELEMENTS, expat.errors.XML_ERROR_TAG_MISMATCH):
            said = f"<{self.stack[-1].tag}> of line {self.stack[-1].mark.line} is not closed"
        hint = " (< is &lt; and & is &amp; in an attribute)" if said == "not well-formed (invalid token)" else ""
        return Problem(self.source.file, error.lineno, error.offset + 1, f"this is not XML: {said}{hint}")
