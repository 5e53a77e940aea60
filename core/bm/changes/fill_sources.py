"""Where the values of columns come from that a promotion fills, by the word in a step's data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.bm.changes.fill_carried import Carried
from core.bm.changes.fill_converted import Converted
from core.bm.changes.fill_expressions import Expressed
from core.bm.changes.fill_linked import Leading
from core.bm.changes.filling import Part, Source, Versions

SOURCES: Mapping[str, Callable[[Part, Versions], Source]] = {
    "convert": Converted, "expression": Expressed, "carry": Carried, "lead": Leading}
