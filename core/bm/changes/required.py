"""Fields that a version requires and the one before did not: the records there are may be empty in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.bm.versions.homes import former_field
from core.expression import Expression

if TYPE_CHECKING:
    from core.bm.versions.state import State
    from core.definition.model import Field, Model

EMPTY = "empty"                 # the finding: records without a value in a field that becomes required
MAY_BE_EMPTY = "may_be_empty"   # the same, where it is required on a condition only


@dataclass(frozen=True, slots=True)
class Required:
    """A field that becomes required in a table that is there; `former` is what the base has for it, if it does."""

    table: str                  # of the target; the one that declares the field, or that narrows it
    field: Field
    before: str                 # the table in the base
    former: Field | None

    @property
    def path(self) -> str:
        """What questions and findings call it."""
        return f"{self.table}.{self.field.name}"

    @property
    def always(self) -> bool:
        """True if no condition says when."""
        return self.field.required is True


def newly_required(base: State, target: State) -> Iterator[Required]:
    """Every such field, once: where a table requires it, those under it are not told again."""
    if base.model is None or target.model is None:
        return
    for name, table in target.model.tables.items():
        before = base.names.get(target.identities[name])
        if before is None:
            continue
        for one in table.fields.values():
            if one.computed or one.type.virtual or one.required is False or (
                    _said_above(target.model, name, one) and not joins(base, target, name)):
                continue
            former = former_field(base, target, before, one)
            if not _required_before(former, one):
                yield Required(name, one, before, former)


def joins(base: State, target: State, table: str) -> bool:
    """Whether a table that is there comes under a base that it was not under: it has what that requires from now on."""
    if base.model is None or target.model is None:
        return False
    above, before = target.model.tables[table].base, base.names.get(target.identities[table])
    if above is None or before is None:
        return False
    former = base.names.get(target.identities[above])
    return former is None or not base.model.names.is_kind_of(before, former)


def comes_with_base(base: State, target: State, table: str, one: Field) -> bool:
    """Whether a field is of a base that a table comes under: for its records it is new, whatever it is for others."""
    if one.table == table or not joins(base, target, table) or base.model is None:
        return False
    former = base.names.get(target.identities[one.table])
    return former is None or not base.model.names.is_kind_of(base.names[target.identities[table]], former)


def _said_above(model: Model, table: str, one: Field) -> bool:
    """Whether a table above this one requires the field in the same words."""
    above = model.tables[table].base
    found = model.tables[above].fields.get(one.name) if above else None
    return found is not None and found.table == one.table \
        and found.written.get("required") == one.written.get("required")


def _required_before(former: Field | None, one: Field) -> bool:
    if former is None:
        return False
    if former.required is True or isinstance(one.required, bool):
        return former.required is True
    return isinstance(former.required, Expression) and former.required.source == one.required.source
