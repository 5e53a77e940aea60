"""Adding to what a record holds: counters and balances, which many change at once and nobody may lose a change of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import BadRequest

if TYPE_CHECKING:
    from core.ed.lock import Locked
    from core.ed.shape import Shape
    from core.ed.values import Row

COUNTED = ("integer", "decimal", "money", "percent")


def check(shaped: Shape, bodies: Sequence[Mapping[str, Any]]) -> None:
    """Raise BadRequest unless every field is a number that is typed and every amount is one."""
    for body in bodies:
        for name, amount in body.items():
            if name in ("id", "_version"):
                continue
            field = shaped.table.fields.get(name)
            if field is not None and field.expression_type.name not in COUNTED:
                raise BadRequest('Nothing can be added to "{name}": it is no number.', name, name=name)
            if isinstance(amount, bool) or not isinstance(amount, int | Decimal) or not Decimal(amount).is_finite():
                raise BadRequest('What is added to "{name}" must be a number.', name, name=name)


def added(row: Row, found: Locked) -> dict[str, Any]:
    """The body of a row with sums in place of amounts, from the record as it is held; an empty field counts as 0."""
    return {name: amount if name in ("id", "_version") or name not in found.values
            else (found.values[name] or 0) + amount for name, amount in row.body.items()}
