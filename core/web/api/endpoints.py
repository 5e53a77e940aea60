"""What the API does with a request: list, create, read, change and delete the records of a table."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import PreconditionRequired, UnsupportedMediaType
from werkzeug.wrappers import Response

from core.ed.scope import visible
from core.errors import N_, BadRequest, Conflict, Denied, NotFound
from core.web.api import openapi, rows, strict_json
from core.web.api.idempotency import Answered, Key
from core.web.api.query import list_query, names, parameters, record_id, version_in
from core.web.api.wire import Sees, Wire, dumps
from core.web.failures import failure_of, problem_dict

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.web.context import Context

JSON = ("application/json", "application/merge-patch+json")
MOST_RECORDS = 2_000
_ETAG = re.compile(r'"(\d{1,18})"', re.ASCII)


def list_records(context: Context, table: str) -> Response:
    """GET /api/v1/<table>: one page of records."""
    definition = _begin(context, table, "read")
    query = list_query(context.request.args)
    fields = query.fields or _fields(context, definition)
    page = context.records.page(table, fields, query.where, order=query.order, limit=query.limit, after=query.after)
    body: dict[str, object] = {"records": _wire(context, definition).out(page.records), "next": page.next}
    if query.count:
        body["count"], body["count_more"] = context.records.count(table, query.where)
    return _json(body)


def create_records(context: Context, table: str) -> Response:
    """POST /api/v1/<table>: one record, or a list of which all are created or none."""
    definition = _begin(context, table, "write")
    parameters(context.request.args, ())
    data = _body_bytes(context)
    key = Key.of(_account(context), context.request.headers.get("Idempotency-Key"), b"POST", table.encode(), data)
    first = key.claim(context.connection) if key else None
    answer = first or Answered(201, dumps(_create(context, definition, strict_json.loads(data))))
    if key and first is None:
        key.keep(context.connection, answer)
    response = Response(answer.body, status=answer.status, content_type="application/json")
    if first is not None:
        response.headers["Idempotency-Replayed"] = "true"
    if answer.body.startswith(b"{"):
        response.headers["Location"] = f"/api/v1/{table}/{json.loads(answer.body)['id']}"
    return response


def read_record(context: Context, table: str, id: str) -> Response:
    """GET /api/v1/<table>/<id>: one record with all that its reader may see, lines too."""
    definition = _begin(context, table, "read")
    fields = names(parameters(context.request.args, ("fields",)).get("fields"), "fields", 200)
    number = record_id(id)
    return _one(context, definition, number, fields or None)


def change_record(context: Context, table: str, id: str) -> Response:
    """PATCH /api/v1/<table>/<id>: change the fields that are named, if nobody else changed the record."""
    definition = _begin(context, table, "write")
    parameters(context.request.args, ())
    number = record_id(id)
    body = strict_json.loads(_body_bytes(context))
    if not isinstance(body, dict):
        raise BadRequest("A record is an object of fields.", "body")
    if body.pop("id", number) != number:
        raise BadRequest("The id in the body is not the id in the address.", "id")
    version = _version(context, body.pop("_version", None))
    if version is None:
        raise PreconditionRequired(N_("Say which version of the record you change: If-Match or \"_version\"."))
    values = _wire(context, definition).read([body], _sees(context))[0]
    try:
        context.records.update(table, [{**values, "id": number, "_version": version}])
    except Conflict as conflict:
        return _conflict(context, definition, conflict)
    return _one(context, definition, number, _fields(context, definition, values))


def delete_record(context: Context, table: str, id: str) -> Response:
    """DELETE /api/v1/<table>/<id>: move a record to the trash; with a version only if it is still that one."""
    definition = _begin(context, table, "write")
    sent = version_in(parameters(context.request.args, ("_version",)).get("_version"), "_version")
    number = record_id(id)
    version = _version(context, sent)
    if not context.records.read(table, [number], ["id"]):
        raise NotFound("There is no such record.")
    try:
        context.records.delete(table, {number: version})
    except Conflict as conflict:
        return _conflict(context, definition, conflict)
    return Response("", status=204)


def query_rows(context: Context, name: str) -> Response:
    """GET /api/v1/query/<name>: the rows of a query."""
    _scope(context, "read")
    context.session.how = "api"
    return rows.answer(context, name)


def describe(context: Context) -> Response:
    """GET /api/v1/openapi.json: the tables that the caller may read and the queries to run, as OpenAPI 3.1."""
    _scope(context, "read")
    parameters(context.request.args, ())
    readable = tuple(name for name in context.system.model.tables if context.records.may(name, "read"))
    asked = rows.readable(context.session)
    body = context.system.cache.get(("openapi", readable, asked),
                                    lambda: dumps(openapi.document(context.system, readable, asked)))
    return Response(body, content_type="application/json")


def _begin(context: Context, table: str, scope: str) -> Table:
    """Mark the session as the API's and find the table; raises Denied, NotFound."""
    _scope(context, scope)
    context.session.how = "api"
    definition = context.system.model.tables.get(table)
    if definition is None:
        raise NotFound('There is no table "{table}".', table=table[:60])
    return definition


def _scope(context: Context, scope: str) -> None:
    """A token may be limited to reading; raises Denied."""
    scopes = context.account.scopes if context.account else None
    if scopes is not None and scope not in dict(scopes.tables) and not (scope == "read" and scopes.tables):
        raise Denied("This token is not for writing." if scope == "write" else "This token is not for reading.")


def _account(context: Context) -> int:
    if context.account is None:
        raise Denied("This needs an account.")
    return context.account.id


def _wire(context: Context, definition: Table) -> Wire:
    return context.system.cache.get(("wire", definition.name), lambda: Wire(context.system.model, definition))


def _sees(context: Context) -> Sees:
    gate = context.session.gate
    return lambda table, field: visible(gate, table, field)


def _fields(context: Context, definition: Table, sent: Collection[str] = ()) -> tuple[str, ...]:
    """What is shown unless told: all but lines, which are a statement each and may be many; lines if they were sent."""
    readable = context.records.readable(definition.name)
    return tuple(name for name in readable if name in sent or not definition.fields[name].type.virtual)


def _body_bytes(context: Context) -> bytes:
    """The body, if it is said to be JSON as it is; raises UnsupportedMediaType."""
    request = context.request
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in JSON or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(N_("Send the body as application/json in UTF-8."))
    return request.get_data()


def _create(context: Context, definition: Table, body: object) -> object:
    bodies = body if isinstance(body, list) else [body]
    if not bodies:
        raise BadRequest("The list holds no record.", "body")
    if len(bodies) > MOST_RECORDS:
        raise BadRequest("At most {most} records can be sent at once.", "body", most=MOST_RECORDS)
    rows = _wire(context, definition).read(bodies, _sees(context))
    ids = context.records.create(definition.name, rows)
    sent = {name for row in rows for name in row}
    found = {record["id"]: record for record in context.records.read(
        definition.name, ids, _fields(context, definition, sent))}
    records = _wire(context, definition).out(found.get(number, {"id": number}) for number in ids)
    return records if isinstance(body, list) else records[0]


def _version(context: Context, sent: object) -> int | None:
    """The version that the caller has read, from If-Match or the body; raises BadRequest."""
    header = context.request.headers.get("If-Match")
    matched = None
    if header is not None:
        match = _ETAG.fullmatch(header.strip())
        if match is None:
            raise BadRequest("If-Match takes one ETag as it was given, such as \"3\" in quotes.", "If-Match")
        matched = int(match[1])
    if sent is None:
        return matched
    if isinstance(sent, bool) or not isinstance(sent, int) or not 0 < sent < 2**31:
        raise BadRequest("A version is a whole number.", "_version")
    if matched is not None and matched != sent:
        raise BadRequest("If-Match and \"_version\" do not agree.", "_version")
    return sent


def _one(context: Context, definition: Table, number: int, fields: tuple[str, ...] | None) -> Response:
    found = context.records.read(definition.name, [number], fields)
    if not found:
        raise NotFound("There is no such record.")
    response = _json(_wire(context, definition).out(found)[0])
    version = found[0].get("_version")
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return response


def _conflict(context: Context, definition: Table, conflict: Conflict) -> Response:
    """409 with the record as it is now, as far as the caller may read it."""
    failure = failure_of(conflict)
    body: dict[str, Any] = {
        "type": "about:blank", "title": failure.title(context.text), "status": 409,
        "detail": failure.message(context.text), "request_id": context.request_id,
        "errors": [problem_dict(p, context.text) for p in failure.problems],
        "fields": list(conflict.fields), "current": _wire(context, definition).out([conflict.current])[0]}
    return Response(dumps(body), status=409, content_type="application/problem+json")


def _json(body: object) -> Response:
    return Response(dumps(body), content_type="application/json")
