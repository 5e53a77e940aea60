"""Every point where an addon's plugin.py adds to core: one hook, one line each.

An addon writes `from core.hookspecs import hook` and a function `@hook def field_types(): return [RatingType()]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from core.types.base import FieldType

PROJECT = "tessera"
hook = pluggy.HookimplMarker(PROJECT)
spec = pluggy.HookspecMarker(PROJECT)


@spec
def field_types() -> Iterable[FieldType[Any]]:  # type: ignore[empty-body]  # a hook's specification has no body
    """Types of fields beside the built-in ones, as objects of FieldType."""


@spec
def kinds() -> Iterable[Any]:  # type: ignore[empty-body]
    """Kinds of definitions beside the built-in ones, as objects of core.definition's Kind."""


@spec
def functions() -> Iterable[Any]:  # type: ignore[empty-body]
    """Functions of the expression language, each with its types, its Python and its SQL."""


@spec
def widgets() -> Iterable[Any]:  # type: ignore[empty-body]
    """Widgets that draw a type's values on pages, for reading and for editing."""


@spec
def verbs() -> Iterable[Any]:  # type: ignore[empty-body]
    """Verbs that a step can have beside the built-in ones, as objects of core.definition.kinds.steps's Verb."""


@spec
def export_formats() -> Iterable[Any]:  # type: ignore[empty-body]
    """Formats that lists and reports can be exported in, such as csv or xlsx."""
