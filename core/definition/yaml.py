"""Read one YAML file into plain values, with the place of each: YAML 1.2 core scalars, and nothing clever."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, cast

import yaml

from core.definition.source import MAX_DEPTH, MAX_FILE, Source, decode
from core.definition.values import BodyPath, Mark, Places
from core.errors import Problem

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_INDENT = re.compile(r"(?:[ \t]*\r?\n)*( *)")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_CONSTANTS: dict[str, object] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MARKS = "[]{},#"
_NUMBERS = frozenset("+-.0123456789")       # what numbers begin with
_QUOTES = ("'", '"')


class _Key(NamedTuple):
    name: str
    event: yaml.ScalarEvent


class _Entry(NamedTuple):
    """A key of a flow mapping and where its value stands; `bare` means that it has no colon and no value."""

    key: _Key
    value_start: int
    bare: bool


@dataclass
class _Node:
    """A mapping or list being read; `name` is its key or index in what is around it.

    One that is not `kept` stands under a key that was there before; a problem is told, so nobody will ask for it.
    """

    value: dict[str, object] | list[object]
    name: str | int
    flow: bool
    start: int
    kept: bool
    key: _Key | None = None
    keys: dict[str, int] = field(default_factory=dict)      # and the line of each
    entries: list[_Entry] = field(default_factory=list)


class _Stop(Exception):
    """Reading cannot go on; the problem is told."""


def read(data: bytes, file: str) -> tuple[object, Mapping[BodyPath, Mark], list[Problem]]:
    """Read a file's one document; the value is None if it is empty or too broken to go on."""
    problems: list[Problem] = []
    if len(data) > MAX_FILE:
        return None, {}, [Problem(file, 1, 1, f"this file is larger than {MAX_FILE // 1_000_000} MB")]
    text = decode(data, file, problems)
    if text is None:
        return None, {}, problems
    reader = _Reader(Source(file, text), problems)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        problems.append(reader.syntax(error))
        return None, {}, problems
    except yaml.reader.ReaderError as error:
        problems.append(reader.source.at(error.position, "a file may not hold control characters"))
        return None, {}, problems
    except _Stop:
        return None, {}, problems
    return reader.root, Places(file, reader.root, reader.numbers) if reader.numbers else {}, problems


class _Reader:
    """Builds values from events with a stack of its own, so that depth costs nothing before it is refused."""

    def __init__(self, source: Source, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.numbers = array("I")       # see Places: every part's place, in the order of reading
        self.root: object = None
        self.stack: list[_Node] = []
        self.documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event. Raises _Stop when reading on makes no sense."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._tell(event, f'an alias (*{event.anchor}) is not allowed: write the value out')
            if self._wants_key():
                raise _Stop
            self._put(None, event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self._tell(event, "a file holds one document: move this one to a file of its own")
                raise _Stop

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._refuse_extras(event)
        if self._wants_key():
            self.stack[-1].key = self._key(event)
            return
        self._put(self._resolve(event), event, bare=_start(event) == _end(event))

    def _wants_key(self) -> bool:
        """True if what comes next is a key of the innermost mapping."""
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _key(self, event: yaml.ScalarEvent) -> _Key:
        name: str = event.value
        node = self.stack[-1]
        if name in node.keys:
            self._tell(event, f'the key "{name}" stands twice: it is also in line {node.keys[name]}')
        elif name == "<<" and event.style is None:
            self._tell(event, 'merging with "<<" is not allowed: write the keys out')
        elif not event.style and not isinstance(self._resolve(event, quiet=True), str):
            self._tell(event, f'a key is a text: put it in quotes, "{name}"')
        node.keys.setdefault(name, _line(event))
        return _Key(name, event)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._refuse_extras(event)
        if len(self.stack) >= MAX_DEPTH:
            self._tell(event, f"this is nested deeper than {MAX_DEPTH} levels")
            raise _Stop
        if self._wants_key():
            self._tell(event, "a key is a text, not a list or a mapping; "
                              'a text that begins with { or [ must be in quotes')
            raise _Stop
        value: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        name, kept = self._put(value, event)
        self.stack.append(_Node(value, name, bool(event.flow_style), _start(event), kept))

    def _close(self) -> None:
        node = self.stack.pop()
        if node.flow and isinstance(node.value, dict) and any(entry.bare for entry in node.entries):
            self._tell_cut(node)

    def _put(self, value: object, event: yaml.Event, bare: bool = False) -> tuple[str | int, bool]:
        """Hang a value into the innermost mapping or list; gives its key or index, and whether it is kept."""
        if not self.stack:
            self.root = value
            self._place(event, event)
            return "text", True
        node = self.stack[-1]
        if isinstance(node.value, list):
            node.value.append(value)
            if node.kept:
                self._place(event, event)
            return len(node.value) - 1, node.kept
        key, node.key = cast(_Key, node.key), None      # a mapping's value always follows its key
        kept = node.kept and key.name not in node.value
        if key.name not in node.value:
            node.value[key.name] = value
        if kept:
            self._place(key.event, event)
        if node.flow:
            index = _start(event)
            node.entries.append(_Entry(key, index, bare and ":" not in self.source.text[_end(key.event):index]))
        return key.name, kept

    def _place(self, key: yaml.Event, value: yaml.Event) -> None:
        """Remember where the next part stands: its key, and its value behind a quote."""
        at, start = cast(yaml.error.Mark, key.start_mark), cast(yaml.error.Mark, value.start_mark)
        style = getattr(value, "style", None)
        if style == "|":                # its text begins in the next line, behind the indentation
            indent = _INDENT.match(self.source.text, self.source.text.find("\n", start.index) + 1)
            self.numbers.extend((at.line + 1, at.column + 1, start.line + 2, len(indent[1]) + 1 if indent else 1))
            return
        shift = 2 if style in _QUOTES else 1
        self.numbers.extend((at.line + 1, at.column + 1, start.line + 1, start.column + shift))

    def _resolve(self, event: yaml.ScalarEvent, quiet: bool = False) -> object:
        text: str = event.value
        if event.style:
            if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
                self._tell(event, "a text may not hold the NUL character")
                return ""
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] not in _NUMBERS:
            return text
        if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
            if sum(character.isdigit() for character in text) > 15:
                if not quiet:
                    self._tell(event, "a number has at most 15 digits: put it in quotes if it is a text")
                return 0
            return float(text) if "." in text else int(text)
        if _NO_NUMBER.fullmatch(text) and not quiet:
            self._tell(event, f'{text} is not a number that a record can hold (in quotes it is a text: "{text}")')
        return text

    def _refuse_extras(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._tell(event, f"an anchor (&{event.anchor}) is not allowed")
        tag = getattr(event, "tag", None)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self._tell(event, f"a tag ({shown}) is not allowed")

    def _tell_cut(self, node: _Node) -> None:
        """Tell of keys without a value: nearly always an expression that a comma cut in two."""
        text = self.source.text
        entries = node.entries
        if all(entry.bare for entry in entries):
            whole = text[node.start:extent(text, node.start + 1) + 1]
            self._tell(entries[0].key.event,
                       f'"{entries[0].key.name}" has no value; a text that begins with {{ must be in quotes: '
                       f"{node.name}: {quoted(whole)}")
            return
        for before, entry in pairwise(entries):
            if entry.bare and not before.bare:
                self._tell_value(before, self.source.mark(before.value_start))
        if entries[0].bare:
            self._tell(entries[0].key.event, f'"{entries[0].key.name}" has no value')

    def _tell_value(self, entry: _Entry, mark: Mark) -> None:
        text = self.source.text
        value = text[entry.value_start:extent(text, entry.value_start)].rstrip()
        self.problems.append(mark.problem(
            f"this value is cut at a comma; put it in quotes: {entry.key.name}: {quoted(value)}"))

    def syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        """Say what the parser stumbled over, in words that tell what to do."""
        mark = error.problem_mark or error.context_mark
        place = self.source.mark(mark.index) if mark else Mark(self.source.file, 1, 1)
        line = self.source.line(place.line)
        unquoted = self._unquoted(mark.index if mark else 0)
        if unquoted is not None:
            return unquoted
        if "\t" in line[:len(line) - len(line.lstrip())]:
            return place.problem("this line is indented with a tab: use spaces")
        said = ", ".join(part for part in (error.context, error.problem) if part)
        if "mapping values are not allowed" in said:
            return place.problem("a text that holds a colon and a space must be in quotes")
        if "invalid Unicode character escape" in said:
            return place.problem("this is not a character: \\u may not name half a surrogate pair")
        return place.problem(f"this is not YAML: {said}")

    def _unquoted(self, index: int) -> Problem | None:
        """The problem of an expression in `{ }` that holds `[ ] { }`, if that is where the parser stopped."""
        node = self.stack[-1] if self.stack else None
        if node is None or not node.flow or not isinstance(node.value, dict) or not node.entries:
            return None
        text = self.source.text
        last = node.entries[-1]
        value = text[last.value_start:extent(text, last.value_start)].rstrip()
        if not any(mark in value for mark in _MARKS) or last.value_start + len(value) < index - 1:
            return None
        return self.source.mark(last.value_start).problem(
            f"this value must be in quotes, for it holds one of , [ ] {{ }} #: {last.key.name}: {quoted(value)}")

    def _mark(self, event: yaml.Event) -> Mark:
        start = cast(yaml.error.Mark, event.start_mark)       # the parser marks every event
        shift = 1 if getattr(event, "style", None) in _QUOTES else 0
        return Mark(self.source.file, start.line + 1, start.column + 1, start.line + 1, start.column + 1 + shift)

    def _tell(self, event: yaml.Event, message: str) -> None:
        self.problems.append(self._mark(event).problem(message))


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark is not None else 0


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark is not None else 0


def extent(text: str, start: int) -> int:
    """Where a value in `{ }` was meant to end: at the brace that closes, or the comma before the next `key:`."""
    depth = 0
    quote = ""
    for index in range(start, len(text)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            if depth == 0:
                return index
            depth -= 1
        elif character == "\n" or (character == "," and depth == 0
                                   and re.match(r",\s*[\w-]+:(\s|$)", text[index:])):
            return index
    return len(text)


def quoted(text: str) -> str:
    """A text in YAML quotes."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"
