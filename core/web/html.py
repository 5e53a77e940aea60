"""Pieces of HTML that are filled thousands of times: Markup.format parses its text on each call, which takes longer."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

_SAFE = (Markup, int)


class Piece:
    """HTML with places written {}: Piece('<b>{}</b>')(name) is Markup, with all escaped that is not Markup."""

    __slots__ = ("_pattern",)

    def __init__(self, source: str) -> None:
        self._pattern = source.replace("%", "%%").replace("{}", "%s")

    def __call__(self, *values: object) -> Markup:
        """Fill the places in order; raises TypeError for too few or too many values."""
        filled = tuple([value if type(value) in _SAFE else escape(value) for value in values])
        return str.__new__(Markup, self._pattern % filled)


def join(parts: Iterable[object]) -> Markup:
    """One after the other, with all escaped that is not Markup; Markup.join looks at each part five times."""
    return str.__new__(Markup, "".join([part if type(part) is Markup else escape(part) for part in parts]))
