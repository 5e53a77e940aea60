"""Writing single records through the API: create (one or several), change, delete, act on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from werkzeug.wrappers import Response

from core.errors import BadRequest, Conflict, NotFound
from core.web.api.exchange import (
    VersionMissing,
    begin,
    body_bytes,
    body_object,
    conflict_answer,
    matched_version,
    records_of,
    sees,
    shown,
    version_of,
    warned,
    wire_of,
)
from core.web.api.idempotency import Answered, once
from core.web.api.query import parameters, record_id, version_in
from core.web.api.wire import dumps

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.ed.batch import Written
    from core.web.context import Context

MOST_RECORDS = 1_000


def create_records(context: Context, table: str) -> Response:
    """POST /api/v1/<table>: one record, or a list of which all are created or none."""
    definition = begin(context, table, "write")
    parameters(context.request.args, ())
    data = body_bytes(context)
    return once(context, table, data, lambda: _create(context, definition, records_of(context, definition, data)))


def change_record(context: Context, table: str, id: str) -> Response:
    """PATCH /api/v1/<table>/<id>: change the fields that are named, if nobody else changed the record."""
    definition = begin(context, table, "write")
    parameters(context.request.args, ())
    number, data = record_id(id), body_bytes(context)
    try:
        return once(context, table, data, lambda: _change(context, definition, number, data))
    except Conflict as conflict:
        return conflict_answer(context, definition, conflict)


def delete_record(context: Context, table: str, id: str) -> Response:
    """DELETE /api/v1/<table>/<id>: move a record to the trash; with a version only if it is still that one."""
    definition = begin(context, table, "write")
    sent = version_in(parameters(context.request.args, ("_version",)).get("_version"), "_version")
    number, version = record_id(id), matched_version(context, sent)

    def delete() -> Answered:
        if not context.records.read(table, [number], ["id"]):
            raise NotFound("There is no such record.")
        context.records.delete(table, {number: version})
        return Answered(204)
    try:
        return once(context, table, b"", delete)
    except Conflict as conflict:
        return conflict_answer(context, definition, conflict)


def act(context: Context, table: str, id: str, action: str) -> Never:
    """POST /api/v1/<table>/<id>/<action>: what can be done with a record beside changing it. Raises NotFound."""
    begin(context, table, "write")
    if not context.records.read(table, [record_id(id)], ["id"]):
        raise NotFound("There is no such record.")
    raise NotFound('There is no action "{action}" on this record.', action=action[:60])


def records_in(body: object) -> list[object]:
    """A body that is a list of records; raises BadRequest."""
    if not isinstance(body, list):
        raise BadRequest("A list of records is expected.", "body")
    if not body:
        raise BadRequest("The list holds no record.", "body")
    if len(body) > MOST_RECORDS:
        raise BadRequest("At most {most} records can be sent at once.", "body", most=MOST_RECORDS)
    return body


def written(context: Context, definition: Table, done: Written, sent: set[str]) -> list[dict[str, object]]:
    """What was written, as it is now, with the warnings of rules; a record that its writer may not read has its id."""
    found = {record["id"]: record for record in context.records.read(
        definition.name, done, shown(context, definition, sent))}
    records = wire_of(context, definition).out(found.get(number, {"id": number}) for number in done)
    warned(context, records, done.warnings)
    return records


def _create(context: Context, definition: Table, body: object) -> Answered:
    bodies = records_in(body if isinstance(body, list) else [body])
    rows = wire_of(context, definition).read(bodies, sees(context))
    done = context.records.create(definition.name, rows)
    records = written(context, definition, done, {name for row in rows for name in row})
    return Answered(201, dumps(records if isinstance(body, list) else records[0]))


def _change(context: Context, definition: Table, number: int, data: bytes) -> Answered:
    body = body_object(records_of(context, definition, data))
    if body.pop("id", number) != number:
        raise BadRequest("The id in the body is not the id in the address.", "id")
    version = matched_version(context, version_of(body.pop("_version", None)))
    if version is None:
        raise VersionMissing
    values = wire_of(context, definition).read([body], sees(context))[0]
    done = context.records.update(definition.name, [{**values, "id": number, "_version": version}])
    records = written(context, definition, done, set(values))
    return Answered(200, dumps(records[0]))
