"""Two questions of whoever watches the server: is the process alive, and can it answer requests."""

from __future__ import annotations

import json

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from core.database import steps
from core.web.context import Context
from core.web.routing import Route


def live(context: Context) -> Response:
    """The process runs; nothing else is asked."""
    return _answer(200, {"live": True})


def ready(context: Context) -> Response:
    """The database answers, has all steps and a live version; else 503 with what is missing."""
    try:
        with context.engine.connect() as connection:
            connection.execute(text("set local statement_timeout = '2s'"))
            missing = steps.missing(connection)
            version = None if missing else connection.scalar(text("select version from bm.live"))
    except SQLAlchemyError:
        return _answer(503, {"ready": False, "missing": "the database does not answer"})
    if missing:
        return _answer(503, {"ready": False, "missing": "upgrade"})
    if version is None:
        return _answer(503, {"ready": False, "missing": "a live version"})
    return _answer(200, {"ready": True, "version": version})


def _answer(status: int, body: dict[str, object]) -> Response:
    return Response(json.dumps(body), status, {"Cache-Control": "no-store"}, content_type="application/json")


ROUTES = (
    Route("/-/live", ("GET",), live, "none", "everyone"),
    Route("/-/ready", ("GET",), ready, "none", "everyone"),
)
