"""Prepared statements: planning many statements of the record service costs PostgreSQL far more than running them.

A statement that comes again on a connection is prepared there, and planned once for all values (engine.OPTIONS asks
for that). It is only for statements whose plan does not hang on the values, such as reads by id. The parameters get
the types that the driver's literals have, so a prepared statement means what it means without.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection

from core.database import engine

AFTER = 2                       # what runs once or twice on a connection is not worth preparing
MOST = 100                      # statements kept on a connection: a plan takes PostgreSQL up to half a megabyte
_PARAMETER = re.compile(r"%\((\w+)\)s")
_TYPES: Mapping[type, str] = {bool: "boolean", Decimal: "numeric", float: "numeric", date: "date",
                              timedelta: "interval", bytes: "bytea"}


class Prepared:
    """One statement in the driver's style; `constants` are the parameters whose values never change."""

    def __init__(self, sql: str, constants: Mapping[str, Any]) -> None:
        self.sql = sql
        self.constants = constants
        found = dict.fromkeys(_PARAMETER.findall(sql))
        self.names = tuple(name for name in found if name not in constants)
        self._commands: dict[tuple[str, ...], tuple[str, str, str]] = {}

    def run(self, connection: Connection, parameters: Mapping[str, Any]) -> Any:
        """Run it, prepared if it ran on this connection before; gives the driver's cursor."""
        name, prepare, execute = self._known_as(tuple([_type(parameters[name]) for name in self.names]))
        kept: OrderedDict[str, int] = connection.info.setdefault("prepared", OrderedDict())
        uses = kept.get(name, 0)
        if uses < AFTER:
            kept[name] = uses + 1
            _forget(connection, kept)
            return engine.execute(connection, self.sql, {**parameters, **self.constants})
        if uses == AFTER:
            engine.execute(connection, prepare, self.constants)
            kept[name] = uses + 1
        kept.move_to_end(name)
        return engine.execute(connection, execute, parameters)

    def _known_as(self, types: tuple[str, ...]) -> tuple[str, str, str]:
        """The name to prepare it under for parameters of these types, how to prepare it and how to run it."""
        if types not in self._commands:
            numbers = {name: f"${number}" for number, name in enumerate(self.names, 1)}
            body = _PARAMETER.sub(lambda found: numbers.get(found[1], found[0]), self.sql)
            name = "t" + sha256(repr((body, sorted(self.constants.items()), types)).encode()).hexdigest()[:20]
            declared, given = ", ".join(types), ", ".join(f"%({one})s" for one in self.names)
            heads = (f" ({declared})", f" ({given})") if types else ("", "")
            self._commands[types] = name, "prepare " + name + heads[0] + " as " + body, "execute " + name + heads[1]
        return self._commands[types]


def _forget(connection: Connection, kept: OrderedDict[str, int]) -> None:
    """Let go of what was used longest ago."""
    while len(kept) > MOST:
        name, uses = kept.popitem(last=False)
        if uses > AFTER:
            engine.execute(connection, "deallocate " + name, {})


def _type(value: object) -> str:
    """The type that the driver's literal for a value has; `unknown` is for what PostgreSQL infers."""
    if type(value) is int:
        return "integer" if -2**31 <= value < 2**31 else "bigint"
    if isinstance(value, datetime):
        return "timestamp" if value.tzinfo is None else "timestamptz"
    return _TYPES.get(type(value), "unknown")
