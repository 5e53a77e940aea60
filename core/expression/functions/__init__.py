"""The functions of the language by name; addons add theirs through the hook `functions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from core.expression.functions import (
    conversions,
    dates,
    durations,
    empties,
    numbers,
    periods,
    pieces,
    texts,
)
from core.expression.functions.base import Function

MODULES = (empties, texts, pieces, numbers, dates, periods, durations, conversions)
Functions = Mapping[str, tuple[Function, ...]]


def functions(more: Iterable[Function] = ()) -> Functions:
    """All functions by name, each with its forms; `more` are those of addons, which cannot replace a built-in one."""
    table: dict[str, tuple[Function, ...]] = {}
    for function in (form for module in MODULES for form in module.FUNCTIONS):
        table[function.name] = (*table.get(function.name, ()), function)
    for function in more:
        if function.name in table:
            raise ValueError(f'the function "{function.name}" exists already')
        table[function.name] = (function,)
    return MappingProxyType(table)


BUILT_IN = functions()
