"""Exports over HTTP: written to a file aside while the transaction reads, then sent.

So what goes out is of one moment, a failure is an answer and no torn file, and a slow reader holds no connection.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from core.ed.exporting import Wanted, export, format_of
from core.errors import BadRequest
from core.web.api.query import MOST_FIELDS, MOST_ORDER, names, parameters, words
from core.web.response import download

if TYPE_CHECKING:
    from core.web.context import Context

LINKS = ("title", "id", "both")
PARAMETERS = ("where", "q", "fields", "order", "format", "links")


def api(context: Context, table: str) -> Response:
    """GET /api/v1/<table>?format=csv: all records that meet the condition, as a file. Raises BadRequest, Denied."""
    found = parameters(context.request.args, PARAMETERS)
    links = found.get("links") or "title"
    if links not in LINKS:
        raise BadRequest('"{name}" is none of {names}.', "links", name=links[:40], names=", ".join(LINKS))
    wanted = Wanted(table, names(found.get("fields"), "fields", MOST_FIELDS) or None, found.get("where") or None,
                    order=names(found.get("order"), "order", MOST_ORDER), search=words(found.get("q")),
                    called=_called(context, table, found.get("fields")),
                    links=links)    # type: ignore[arg-type]  # it is one of them
    return answer(context, wanted, found["format"], table)


def _called(context: Context, table: str, asked: str | None) -> dict[str, str]:
    """What the caller calls the paths that are called otherwise now."""
    former = context.former
    if former is None or not asked:
        return {}
    return {path: said for path in names(asked, "fields", MOST_FIELDS)
            if (said := former.said_path(table, path)) != path}


def answer(context: Context, wanted: Wanted, format_name: str, label: str) -> Response:
    """The file, to be kept and never shown inside our pages. Raises BadRequest, NotFound, Denied."""
    plugins = getattr(context.system.plugins, "export_formats", {})
    format_ = format_of(format_name, plugins)
    file = tempfile.TemporaryFile(prefix="tessera-export-")  # noqa: SIM115  # closed when it is sent
    try:
        export(context.session, wanted, format_, file)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    response = download(FileWrapper(file, 65_536), f"{label}.{format_.name}", size)
    response.headers["Content-Type"] = format_.media
    response.call_on_close(file.close)
    return response
