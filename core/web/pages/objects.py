"""Finding what a URL is about: the business object, the kind of a record, what a record is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.ed import query
from core.ed.records import Records
from core.errors import NotFound
from core.web.context import Context
from core.web.i18n import N_

if TYPE_CHECKING:
    from core.definition.model import Object
    from core.ed.session import Session


def object_of(context: Context, name: str, rows: bool = False) -> Object:
    """The business object of a URL; raises NotFound, also for those who may not read its records.

    One that shows rows of a query is there only where `rows` says so: it has no forms.
    """
    found = context.system.model.objects.get(name)
    if found is None or (found.rows is not None and not rows) or not visible(context.session, found):
        raise NotFound(N_("There is no such page, or you may not see it."))
    return found


def visible(session: Session, thing: Object) -> bool:
    """Whether a user may read what an object shows."""
    if thing.rows is not None:
        return query.readable(session, thing.rows.name)
    return Records(session).may(thing.of, "read")


def object_title(context: Context, thing: Object) -> str:
    """What the object is called in the viewer's language."""
    return context.system.model.text(f"object {thing.name}.title", context.viewer.locale.language) or thing.title


def kind_of(context: Context, table: str, identity: int, trash: bool = False) -> str:
    """The table that a record of a base is really of. Raises NotFound."""
    if not context.system.model.tables[table].kinds:
        return table
    found = context.records.read(table, [identity], ["id"], trash=trash)
    if not found:
        raise NotFound(N_("There is no such record, or you may not see it."))
    return str(found[0].get("_type") or table)


def title_of(record: Mapping[str, Any]) -> str:
    """What stands for a record that was read with its `_title`."""
    return str(record.get("_title") or f"#{record['id']}")
