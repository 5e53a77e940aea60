"""Reading through the API: a page of records, one record, groups, the rows of a query, the API's description."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from core.errors import NotFound
from core.web import exports
from core.web.api import groups, openapi, rows
from core.web.api.exchange import begin, etag, in_scope, json_answer, not_modified, shown, unchanged, wire_of
from core.web.api.query import list_query, names, parameters, record_id
from core.web.api.wire import dumps

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.web.context import Context


def list_records(context: Context, table: str) -> Response:
    """GET /api/v1/<table>: one page of records, or groups of them."""
    definition = begin(context, table, "export" if "format" in context.request.args else "read")
    if groups.asked(context.request.args):
        return groups.answer(context, table)
    if "format" in context.request.args:
        return exports.api(context, table)
    query = list_query(context.request.args)
    fields = query.fields or shown(context, definition)
    page = context.records.page(table, fields, query.where, order=query.order, limit=query.limit, after=query.after,
                                search=query.search)
    body: dict[str, object] = {"records": wire_of(context, definition).out(page.records), "next": page.next}
    if query.count:
        body["count"], body["count_more"] = context.records.count(table, query.where, search=query.search)
    return json_answer(body)


def read_record(context: Context, table: str, id: str) -> Response:
    """GET /api/v1/<table>/<id>: one record with all that its reader may see, lines too."""
    definition = begin(context, table, "read")
    fields = names(parameters(context.request.args, ("fields",)).get("fields"), "fields", 200)
    return one(context, definition, record_id(id), fields or None)


def query_rows(context: Context, name: str) -> Response:
    """GET /api/v1/query/<name>: the rows of a query."""
    in_scope(context, "read")
    context.session.how = "api"
    return rows.answer(context, name)


def describe(context: Context) -> Response:
    """GET /api/v1/openapi.json: the tables that the caller may read and the queries to run, as OpenAPI 3.1."""
    in_scope(context, "read")
    parameters(context.request.args, ())

    def write() -> tuple[bytes, str]:
        body = dumps(openapi.document(context.session))
        return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    body, tag = context.system.cache.get(("openapi", context.session.user.shape), write)
    if unchanged(context, tag):
        return not_modified(tag)
    return Response(body, content_type="application/json", headers={"ETag": tag})


def one(context: Context, definition: Table, number: int, fields: tuple[str, ...] | None) -> Response:
    """A record as it is now, with its version as ETag; raises NotFound."""
    found = context.records.read(definition.name, [number], fields)
    if not found:
        raise NotFound("There is no such record.")
    tag = etag(found[0])
    if tag is not None and unchanged(context, tag):
        return not_modified(tag)
    response = json_answer(wire_of(context, definition).out(found)[0])
    if tag is not None:
        response.headers["ETag"] = tag
    return response
