"""Files of records: served under the rights of the record and field that hold them, as attachments only."""

from __future__ import annotations

from functools import partial

from sqlalchemy import select
from werkzeug.wrappers import Response

from core.ed import tables
from core.errors import NotFound
from core.types.file import FileValue
from core.web.context import Context
from core.web.i18n import N_
from core.web.response import download
from core.web.routing import Route


def show(context: Context, table: str, id: int, field: str) -> Response:
    """Send the file that stands in a field of a record."""
    model = context.system.model
    found = model.field(table, field) if table in model.tables else None
    if found is None or found.type.name != "file" or field not in context.records.readable(table):
        raise NotFound(N_("There is no such file, or you may not see it."))
    for trash in (False, True):
        records = context.records.read(table, [id], [field], trash=trash)
        if records and isinstance(records[0].get(field), FileValue):
            return _send(context, records[0][field])
    raise NotFound(N_("There is no such file, or you may not see it."))


def _send(context: Context, value: FileValue) -> Response:
    file = tables.file
    row = context.connection.execute(
        select(file.c.hash, file.c.name, file.c.size).where(file.c.id == value.id)).one_or_none()
    if row is None or context.session.files is None:
        raise NotFound(N_("There is no such file, or you may not see it."))
    content = context.session.files.open(row.hash)
    return download(iter(partial(content.read, 1 << 16), b""), row.name, row.size)


ROUTES = (Route("/-/file/<table>/<id:id>/<field>", ("GET",), show, "session", "records"),)
