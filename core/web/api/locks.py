"""Unlocking a locked record, and locking it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from core.ed import locked
from core.errors import BadRequest
from core.web.api import strict_json
from core.web.api.exchange import begin, body_bytes, body_object, json_answer
from core.web.api.query import parameters, record_id

if TYPE_CHECKING:
    from core.web.context import Context


def unlock(context: Context, table: str, id: str) -> Response:
    """POST /api/v1/<table>/<id>/unlock with {"reason": ...}: open it for the caller, until a save or for an hour."""
    begin(context, table, "write")
    parameters(context.request.args, ())
    body = body_object(strict_json.loads(body_bytes(context)))
    reason = body.pop("reason", "")
    if body or not isinstance(reason, str):
        raise BadRequest('The body is an object with "reason", a text, and nothing else.', "body")
    until = locked.unlock(context.session, table, record_id(id), reason)
    return json_answer({"id": record_id(id), "until": until.isoformat()})


def lock(context: Context, table: str, id: str) -> Response:
    """POST /api/v1/<table>/<id>/lock: end the caller's own unlocking before its time."""
    begin(context, table, "write")
    parameters(context.request.args, ())
    locked.lock_again(context.session, table, record_id(id))
    return Response("", status=204)
