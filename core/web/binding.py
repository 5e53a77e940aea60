"""From names in definitions to bound fields: paths, titles in the reader's language, where records are opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from core.definition.relations import narrowed
from core.web.i18n import N_, text_of
from core.web.widgets.base import Bound
from core.web.widgets.registry import widgets

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.ed.system import System

SYSTEM_TITLES = {"id": N_("Id"), "created_on": N_("Created on"), "created_by": N_("Created by"),
                 "changed_on": N_("Changed on"), "changed_by": N_("Changed by")}


def homes(model: Model) -> dict[str, str]:
    """Where the records of each table are opened: the first object that stands on it, in the model's order."""
    found: dict[str, str] = {}
    opening = [thing for thing in model.objects.values() if thing.rows is None]
    plain = [thing for thing in opening if thing.written is None and thing.query is None]
    for thing in [*plain, *opening]:
        if not model.tables[thing.of].kinds:
            found.setdefault(thing.of, f"/{thing.name}")
    return found


def field_at(model: Model, table: str, path: str) -> Field | None:
    """The field that a path of names ends at; None where it leads nowhere."""
    found = None
    for name in path.split("."):
        if found is not None and found.expression_type.name == "any_link" and name in model.tables:
            found = narrowed(found, name)
            continue
        if found is not None:
            table = found.target or ""
        if table not in model.tables:
            return None
        found = model.field(table, name)
        if found is None:
            return None
    return found


def field_title(model: Model, field: Field, language: str) -> str:
    """A field's title in the reader's language."""
    if field.path == f"workflow {field.path.partition(' ')[2].partition('.')[0]}.phase":       # core makes it
        return text_of(language)(N_("Phase"))
    return model.text(f"{field.path}.title", language) or field.title


def bind(system: System, table: str, path: str, language: str, title: str = "", badge: bool = False,
         list: str | None = None) -> Bound | None:
    """Bind a field for one language; None where the path leads nowhere."""
    model = system.model
    field = field_at(model, table, path)
    if field is None:
        return None
    return Bound(field, path, title or field_title(model, field, language),
                 (model.text(f"{field.path}.help", language) or field.help) if field.help else "",
                 model, language, text_of(language), known_homes(system), widgets(system), badge, list)


def known_homes(system: System) -> Mapping[str, str]:
    """`homes` of a version, worked out once."""
    return system.cache.get("homes", lambda: homes(system.model))


def plural(model: Model, table: str, language: str) -> str:
    """What the records of a table are called."""
    return model.text(f"table {table}.plural", language) or model.tables[table].plural


def singular(model: Model, table: str, language: str) -> str:
    """What one record of a table is called."""
    return model.text(f"table {table}.title", language) or model.tables[table].title


def default_columns(model: Model, table: str, without: Iterable[str] = (), most: int = 8) -> list[str]:
    """The columns of a list that nobody wrote: the first fields that fit into one."""
    skip = set(without)
    return [name for name, field in model.tables[table].fields.items()
            if name not in skip and not field.type.is_long and field.type.name not in ("file", "document")][:most]
