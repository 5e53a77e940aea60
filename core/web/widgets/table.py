"""docs/types.md: all types with their properties, columns, index and widget, as the code has them.

`python -m core.web.widgets.table` writes it; a test fails where it is stale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.types.base import FieldType
from core.types.registry import registry
from core.types.several import ManyProperties
from core.web.widgets.base import Widget
from core.web.widgets.registry import built_in

PAGE = Path(__file__).resolve().parents[3] / "docs" / "types.md"
HEAD = """\
<!-- Written by `python -m core.web.widgets.table` from the types and their widgets. -->

# Types

What each type takes, how its values travel, where they are kept and how they are drawn. More of each, and what its
properties mean, says the [reference](definitions/types.md); what expressions do with it,
[Expressions](expressions.md#types). An addon adds a type by the hook `field_types` of its `plugin.py`, and its widget
by `widgets`: `tests/fixtures/own_types` is one.

`several` says that `many: true` keeps several values in one field: each column then is an array, indexed by gin.
"""
COLUMNS = ("type", "properties", "wire form", "columns", "index", "in expressions", "lists sort by it", "searched",
           "several", "widget")
WIRE = re.compile(r"^## (\w+)\nWire form: (.*?)(?:[.;:](?:\s|$)|$)", re.MULTILINE)
ABOUT = Path(__file__).resolve().parents[2] / "definition" / "samples" / "types" / "about.md"
# Properties that a type must have; nothing of them is shown.
NEEDED: Mapping[str, Any] = {"of": "x", "by": "y", "to": "x", "through": "y", "on": "x", "sequence": "x", "table": "x",
                             "record": "x"}


def page() -> str:
    """The page as it should be."""
    drawn = built_in()
    wires = {name: text.replace("|", "\\|") for name, text in WIRE.findall(ABOUT.read_text(encoding="utf-8"))}
    kinds = sorted(registry().values(), key=_name)
    rows = [COLUMNS, ("---",) * len(COLUMNS), *(_row(kind, drawn, wires) for kind in kinds)]
    return HEAD + "\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _row(kind: FieldType[Any], drawn: Mapping[str, Widget], wires: Mapping[str, str]) -> tuple[str, ...]:
    names = kind.properties.model_fields
    p = kind.properties(**{name: NEEDED[name] for name, info in names.items() if info.is_required()})
    columns = ", ".join(f"{part.name + ': ' if part.name else ''}{part.column}" for part in kind.parts(p))
    own = ", ".join(f"`{name}`" for name in names if name != "many" and not _made(names[name]))
    widget = type(drawn[kind.name]).__name__ if kind.name in drawn else ""
    several = "yes" if issubclass(kind.properties, ManyProperties) or "many" in names else ""
    return (f"[{kind.name}](definitions/types.md#{kind.name})", own, wires.get(kind.name, ""),
            columns or "none", kind.default_index(p) or "", str(kind.expression_type(p)).replace(" of x", ""),
            "yes" if kind.sortable else "", "yes" if kind.searchable else "", several, widget)


def _made(info: Any) -> bool:
    """Whether core itself sets a property."""
    return bool((info.json_schema_extra or {}).get("made"))


def _name(kind: FieldType[Any]) -> str:
    return kind.name


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
