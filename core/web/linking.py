"""What a link may be made to lead to, and what records that it leads to are called, whatever their tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.ed import relations, search
from core.web.binding import known_homes, singular
from core.web.context import Context

if TYPE_CHECKING:
    from core.definition.model import Field

OFFERED = 20
FEW = 5                 # offered of each of several tables, at least


def choices(context: Context, field: Field, words: str) -> list[dict[str, Any]]:
    """The records of several tables that a link may lead to, each with its kind and where it is opened."""
    if not field.targets:
        return _anywhere(context, words)
    seen = [table for table in field.targets
            if context.records.may(table, "read") or context.records.may(table, "peek")]
    each = max(FEW, OFFERED // max(1, len(seen)))
    return [_choice(context, table, identity, title) for table in seen
            for identity, title in context.records.lookup(table, words, field.among_of(table), each)]


def _anywhere(context: Context, words: str) -> list[dict[str, Any]]:
    """Records of any table: those that the search finds."""
    if not words:
        return []
    return [_choice(context, found.table, found.id, found.title)
            for found in search.search(context.session, words, OFFERED)]


def _choice(context: Context, table: str, identity: int, title: str) -> dict[str, Any]:
    homes, language = known_homes(context.system), context.viewer.locale.language
    return {"id": identity, "title": title or f"#{identity}",
            "kind": singular(context.system.model, table, language), "home": homes.get(table) or f"/-/open/{table}"}


def titles(context: Context, table: str, ids: Iterable[int]) -> dict[str, str]:
    """What some records are called, as far as this user may know; their tables are found out where none is named."""
    wanted = sorted(set(ids))[:1000]
    if table:
        tables = {table: wanted}
    else:
        tables = {}
        for identity, found in relations.locate(context.session, wanted).items():
            tables.setdefault(found, []).append(identity)
    return {str(identity): title or f"#{identity}"
            for identity, (title, _) in relations.titles(context.session, tables).items()}
