"""Files of records: served under the rights of the record and field that hold them, as attachments.

Only a picture made of points may be shown within a page (`?shown=1`), and only if it is no larger than a screen needs.
"""

from __future__ import annotations

from functools import partial
from itertools import chain
from math import prod

from werkzeug.wrappers import Response

from core.ed.files import StoredFile, open_file
from core.types.raster import RASTERS, dimensions
from core.web.context import Context
from core.web.request import only
from core.web.response import download, picture
from core.web.routing import Route

CHUNK = 1 << 16
MOST_POINTS = 40_000_000         # a larger picture is only downloaded: what shows it would have to unpack it


def show(context: Context, table: str, id: int, field: str) -> Response:
    """Send the file that stands in a field of a record."""
    only(context.request.args, ("shown",))
    return sent(open_file(context.session, table, id, field), shown=context.request.args.get("shown") == "1")


def sent(file: StoredFile, *, shown: bool) -> Response:
    """A stored file as an answer; shown in a page only where it is a picture that does no harm."""
    head = file.content.read(CHUNK)
    content = chain((head,), iter(partial(file.content.read, CHUNK), b""))
    if shown and file.type in RASTERS and 0 < prod(dimensions(head, file.type) or (0,)) <= MOST_POINTS:
        return picture(content, file.type, file.size)
    return download(content, file.name, file.size)


ROUTES = (Route("/-/file/<table>/<id:id>/<field>", ("GET",), show, "session", "records"),)
