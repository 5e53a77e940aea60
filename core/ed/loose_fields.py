"""Fields for values that are worked out and belong to no table: columns of queries, groups and totals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.types.base import Type
from core.types.choice import ChoiceProperties, ChoiceType
from core.types.link import LinkProperties, LinkType
from core.types.registry import registry
from core.types.several import several

if TYPE_CHECKING:
    from core.definition.model import Field


def loose_field(name: str, kind: Type, scale: int | None = None) -> Field:
    """A field of the type that values are of; `scale`: with so many decimals."""
    from core.definition.model import Field
    if kind.name == "link":
        return Field("", name, LinkType(), LinkProperties(to=kind.of or "", many=kind.many), name)
    if kind.name == "choice" and kind.of is not None:
        return Field("", name, ChoiceType(), ChoiceProperties(of=kind.of, many=kind.many), name)
    type_ = registry().get(kind.name, registry()["text"])
    if kind.many:
        return Field("", name, several(type_), type_.properties(many=True), name)
    scaled = {"scale": scale} if scale is not None and kind.name in ("money", "decimal") else {}
    return Field("", name, type_, type_.properties(**scaled), name)
