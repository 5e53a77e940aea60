"""Links through a table between: by which of its links one record leads to the others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.types.link import LinkProperties, LinkType
from core.types.links import LinksProperties

if TYPE_CHECKING:
    from core.definition.scope import Names
    from core.definition.tables import Field, Table


@dataclass(frozen=True, slots=True)
class Ends:
    """The table between, its link back to the record that has the field, and its link to the others."""

    through: str
    by: str
    other: str


def ends(names: Names, field: Field) -> Ends | None:
    """The links that a field goes through; None where the definition does not make them clear."""
    said = field.properties
    through = names.tables.get(said.through) if isinstance(said, LinksProperties) else None
    if through is None or not isinstance(said, LinksProperties):
        return None
    back = [said.by] if said.by else candidates(names, through, field.table)
    away = [said.other] if said.other else candidates(names, through, said.to)
    back = [one for one in back if one != said.other]
    away = [one for one in away if one != said.by]
    if len(back) != 1 or len(away) != 1:
        return None
    return Ends(through.name, back[0], away[0])


def candidates(names: Names, through: Table, table: str) -> list[str]:
    """The single, stored links of a table that lead to another, or to a base of it."""
    return [name for name, link in through.links.items()
            if link.target is not None and not link.many and not link.virtual and names.is_kind_of(table, link.target)]


def narrowed(field: Field, table: str) -> Field:
    """A link to one of several tables, or to any, as the link to one of them that a path names."""
    return replace(field, type=LinkType(), properties=LinkProperties(to=table), written={})
