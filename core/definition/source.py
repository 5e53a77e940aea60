"""The text of a definition file: decoding, limits, and places in it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from core.definition.values import Mark
from core.errors import Problem

MAX_FILE = 1_000_000
MAX_SET = 20_000_000
MAX_DEPTH = 50
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Source:
    """A file's text, with marks for places in it."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(index + 1 for index, character in enumerate(self.text) if character == "\n")]

    def mark(self, index: int) -> Mark:
        """The mark of a place in the text."""
        line = bisect_right(self._starts, index)
        column = index - self._starts[line - 1] + 1
        return Mark(self.file, line, column, line, column)

    def line(self, number: int) -> str:
        """A line's text, counted from 1."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def at(self, index: int, message: str) -> Problem:
        """A problem at a place in the text."""
        return self.mark(index).problem(message)


def decode(data: bytes, file: str, problems: list[Problem]) -> str | None:
    """A file's text without byte order mark; None, and a problem, if it is not UTF-8."""
    if data[:2] in _MARKS:
        problems.append(Problem(file, 1, 1, f"this file is {_MARKS[data[:2]]}: save it as UTF-8"))
        return None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[:error.start].count(b"\n") + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        problems.append(Problem(file, line, column,
                                f"this file is not UTF-8 (byte 0x{data[error.start]:02x}): save it as UTF-8"))
        return None
