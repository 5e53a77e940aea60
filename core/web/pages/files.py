"""Files of records: served under the rights of the record and field that hold them, as attachments only."""

from __future__ import annotations

from functools import partial

from werkzeug.wrappers import Response

from core.ed.files import open_file
from core.web.context import Context
from core.web.response import download
from core.web.routing import Route

CHUNK = 1 << 16


def show(context: Context, table: str, id: int, field: str) -> Response:
    """Send the file that stands in a field of a record."""
    file = open_file(context.session, table, id, field)
    return download(iter(partial(file.content.read, CHUNK), b""), file.name, file.size)


ROUTES = (Route("/-/file/<table>/<id:id>/<field>", ("GET",), show, "session", "records"),)
