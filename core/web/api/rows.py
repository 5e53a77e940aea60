"""The rows of queries through the API: GET /api/v1/query/<name>?city=Ulm&limit=50."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from core.ed import query as queries
from core.ed import query_values
from core.ed.query_words import column_title, prompt, query_title
from core.types.base import Locale
from core.web.api import schemas
from core.web.api.query import MOST, number, parameters
from core.web.api.schemas import Schema
from core.web.api.wire import dumps

if TYPE_CHECKING:
    from core.definition.model import Field, Model
    from core.definition.queries import Query
    from core.ed.session import Session
    from core.web.context import Context


def answer(context: Context, name: str) -> Response:
    """The rows of a query with its columns; parameters as people write them in English, dates as 2024-01-31."""
    session = context.session
    query = queries.readable_query(session, name)
    texts = dict(parameters(context.request.args, (*query.parameters, "limit", "offset")))
    limit, offset = texts.pop("limit", None), texts.pop("offset", None)
    given = query_values.parse(query, texts, Locale("en", session.environment.zone))
    found = queries.run(session, name, given, limit=number(limit, "limit", 50, 1, MOST),
                        offset=number(offset, "offset", 0, 0, queries.LARGEST_OFFSET))
    columns = [{"name": column.name, "type": column.type.name,
                "title": column_title(session.system.model, column, context.viewer.locale.language)}
               for column in found.columns]
    totals = {column.name: found.totals[column.name] if column.total == "count" else
              column.field.type.to_wire(found.totals[column.name], column.field.properties)
              for column in found.columns if column.name in found.totals}
    body = {"rows": [found.wire(row) for row in found.rows], "more": found.more, "columns": columns, "totals": totals}
    return Response(dumps(body), content_type="application/json")


def readable(session: Session) -> tuple[str, ...]:
    """The queries that the caller may run."""
    return tuple(name for name in session.system.model.queries if queries.readable(session, name))


def described(session: Session, query: Query) -> Schema:
    """What OpenAPI says of one query. Its parameters are text, as people write them."""
    model = session.system.model
    asked: list[Schema] = [{"name": name, "in": "query", "required": field.required is True and field.default is None,
                            "schema": _typed(model, field), "description": prompt(model, field, "en")}
                           for name, field in query.parameters.items()]
    asked += [{"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": MOST}},
              {"name": "offset", "in": "query", "schema": {"type": "integer", "minimum": 0,
                                                           "maximum": queries.LARGEST_OFFSET}}]
    properties: Schema = {"_table": {"type": "string"}, "_id": schemas.ID}
    columns = [column for column, _ in queries.prepared(session, query, (query.name,)).columns]
    for column in columns:
        properties[column.name] = schemas.reads(model, column.field)
        if column.type.name in ("link", "any_link"):
            properties[f"{column.name}_title"] = {}
    totals: Schema = {column.name: {} for column in columns if column.total is not None}
    rows = {"type": "object", "required": ["rows", "more", "columns", "totals"], "additionalProperties": False,
            "properties": {
                "rows": {"type": "array", "items": {"type": "object", "properties": properties,
                                                    "additionalProperties": False}},
                "more": {"type": "boolean"},
                "columns": {"type": "array", "items": {"type": "object", "required": ["name", "type", "title"]}},
                "totals": {"type": "object", "properties": totals, "additionalProperties": False}}}
    problem = {"$ref": "#/components/responses/Problem"}
    return {"get": {"operationId": f"query_{query.name}", "summary": query_title(model, query, "en"),
                    "parameters": asked, "responses": {
                        "200": {"description": "Done.", "content": {"application/json": {"schema": rows}}},
                        "4XX": problem, "5XX": problem}}}


def _typed(model: Model, field: Field) -> Schema:
    found: Schema = {"type": "string"}
    value = schemas.value(model, field)
    if "examples" in value:
        found["examples"] = value["examples"]
    return found
