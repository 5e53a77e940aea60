"""Rows as one parameter: however many there are, a statement over them stays the same, and is one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, bindparam, cast, column, func
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.sql.selectable import TableValuedAlias

ROWS = "rows"                                  # the parameter that carries the rows


def rowset(columns: Mapping[str, Any]) -> TableValuedAlias:
    """The rows of parameter `rows`, as a table of those columns (name -> SQL type)."""
    source = func.json_to_recordset(cast(bindparam(ROWS, type_=Text()), JSON))
    return source.table_valued(*(column(name, kind) for name, kind in columns.items())).render_derived(
        with_types=True)


def encode(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Give rows of database values as the parameter of a rowset."""
    return {ROWS: json.dumps(rows, default=str, ensure_ascii=False, separators=(",", ":"))}
