"""Many records in one request, all or none: lists of changes, one change or removal of all that a condition finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from core.errors import N_, BadRequest, Conflict, FieldProblem, Refused, words
from core.web.api import strict_json
from core.web.api.exchange import (
    VersionMissing,
    begin,
    body_bytes,
    body_object,
    conflict_answer,
    records_of,
    sees,
    wire_of,
)
from core.web.api.idempotency import Answered, once
from core.web.api.query import ids_in, number, parameters
from core.web.api.wire import dumps
from core.web.api.writing import MOST_RECORDS, records_in, written

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.web.context import Context


def change_records(context: Context, table: str) -> Response:
    """PATCH /api/v1/<table>: a list of changes, or with `where` and `count` one change of all records that meet it."""
    definition = begin(context, table, "write")
    asked = parameters(context.request.args, ("where", "count"))
    data = body_bytes(context)
    try:
        return once(context, table, data, lambda: (
            _change_where(context, definition, asked, body_object(records_of(context, definition, data))) if asked else
            _change_list(context, definition, records_in(records_of(context, definition, data)))))
    except Conflict as conflict:
        return conflict_answer(context, definition, conflict, None if asked else _place(conflict, data))


def delete_records(context: Context, table: str) -> Response:
    """DELETE /api/v1/<table>: the records of `ids`, or with `where` and `count` all that meet a condition."""
    definition = begin(context, table, "write")
    asked = parameters(context.request.args, ("ids", "where", "count"))

    def delete() -> Answered:
        if ("ids" in asked) is ("where" in asked):
            raise BadRequest('Say which records are meant: "ids", or "where" with "count".', "ids")
        if "ids" in asked and "count" in asked:
            raise BadRequest('"count" goes with "where".', "count")
        found: Mapping[int, int | None] = (ids_in(asked["ids"], MOST_RECORDS) if "ids" in asked else
                                           _matching(context, definition, asked))
        context.records.delete(table, found)
        return _told(list(found))
    try:
        return once(context, table, b"", delete)
    except Conflict as conflict:
        return conflict_answer(context, definition, conflict)


def _change_list(context: Context, definition: Table, bodies: list[object]) -> Answered:
    missing = [FieldProblem("_version", "missing", N_("Say which version of the record you change."), row=place)
               for place, body in enumerate(bodies) if isinstance(body, dict) and body.get("_version") is None]
    if missing:
        raise VersionMissing(missing)
    rows = wire_of(context, definition).read(bodies, sees(context))
    done = context.records.update(definition.name, rows)
    return Answered(200, dumps(written(context, definition, done, {name for row in rows for name in row})))


def _change_where(context: Context, definition: Table, asked: Mapping[str, str], body: dict[str, Any]) -> Answered:
    if not body:
        raise BadRequest("The body changes nothing.", "body")
    if "id" in body or "_version" in body:
        raise BadRequest("A change of all records that meet a condition names none of them.", "body")
    values = wire_of(context, definition).read([body], sees(context))[0]
    found = _matching(context, definition, asked)
    context.records.update(definition.name, [{**values, "id": id_, "_version": version}
                                             for id_, version in found.items()])
    return _told(list(found))


def _matching(context: Context, definition: Table, asked: Mapping[str, str]) -> dict[int, int | None]:
    """The records that meet the condition, with their versions, if they are as many as the caller thinks."""
    if not asked.get("where"):
        raise BadRequest('"where" says which records are meant.', "where")
    if "count" not in asked:
        raise BadRequest('"count" says how many records you expect to meet the condition.', "count")
    expected = number(asked["count"], "count", 0, 1, MOST_RECORDS)
    page = context.records.page(definition.name, ("id",), asked["where"], order=("id",), limit=MOST_RECORDS)
    if page.more:
        raise Refused(words("More than {most} records meet the condition, not {expected}.", most=MOST_RECORDS,
                            expected=expected))
    if len(page.records) != expected:
        raise Refused(words("{found} records meet the condition, not {expected}.", found=len(page.records),
                            expected=expected))
    return {record["id"]: record["_version"] for record in page.records}


def _told(ids: list[int]) -> Answered:
    return Answered(200, dumps({"count": len(ids), "ids": ids}))


def _place(conflict: Conflict, data: bytes) -> int | None:
    """The place in the list of the record that was changed meanwhile."""
    return next((place for place, body in enumerate(strict_json.loads(data))
                 if conflict.current and body.get("id") == conflict.current.get("id")), None)
