"""The names that an expression uses, each with its place: what references, where-used and renames stand on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mention:
    """One name in the text of an expression.

    `kind` is field, choice, table, query, function or setting; `owner` is the table of a field and the choices of a
    choice, else empty; `column` counts characters from 1. What stands in an inlined query or function is not here.
    """

    kind: str
    owner: str
    name: str
    column: int
