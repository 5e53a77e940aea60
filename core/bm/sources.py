"""Where the values of columns come from that a promotion fills, by the word in a step's data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.bm.carrying import Carried
from core.bm.converting import Converted
from core.bm.expression_fill import Expressed
from core.bm.filling import Part, Source, Versions
from core.bm.leading import Leading

SOURCES: Mapping[str, Callable[[Part, Versions], Source]] = {
    "convert": Converted, "expression": Expressed, "carry": Carried, "lead": Leading}
