"""The API's own description, OpenAPI 3.1, written from the Model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.web.api import rows

if TYPE_CHECKING:
    from core.definition.model import Field, Model, Table
    from core.ed.session import Session

Schema = dict[str, Any]
_TYPES: Mapping[str, Schema] = {
    "text": {"type": "string"}, "memo": {"type": "string"}, "sequence": {"type": "string"},
    "email": {"type": "string", "format": "email"}, "url": {"type": "string", "format": "uri"},
    "phone": {"type": "string"}, "expression": {"type": "string"},
    "integer": {"type": "integer"}, "boolean": {"type": "boolean"},
    "decimal": {"type": "string", "format": "decimal"}, "money": {"type": "string", "format": "decimal"},
    "percent": {"type": "string", "format": "decimal"}, "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "file": {"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": "string"}, "type": {"type": "string"},
        "size": {"type": "integer"}}},
}
_PROBLEM: Schema = {
    "type": "object", "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"}, "at": {"type": "string"}, "column": {"type": "integer"},
        "request_id": {"type": "string"},
        "current": {"type": "object", "description": "409: the record as it is now."},
        "fields": {"type": "array", "items": {"type": "string"}},
        "errors": {"type": "array", "items": {
            "type": "object", "required": ["field", "code", "message"],
            "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"},
                           "row": {"type": "integer"}}}}},
}
_LIST_PARAMETERS = (
    ("where", {"type": "string"}, "A condition, such as `stage == 'won' and amount > 1000`."),
    ("fields", {"type": "string"}, "Names and paths, separated by commas: `name,company.city`."),
    ("order", {"type": "string"}, "Names and paths; a minus sign before one: from high to low."),
    ("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Most records of a page."),
    ("after", {"type": "string"}, "The `next` of the page before."),
    ("count", {"type": "string", "enum": ["0", "1"]}, "1: say how many there are, counted up to 10,000."),
)
_ID: Schema = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
_IF_MATCH: Schema = {"name": "If-Match", "in": "header", "schema": {"type": "string"},
                     "description": "The record's version as its ETag: `\"3\"`."}
_KEY: Schema = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 200},
                "description": "Sent again with the same body, the request gets the first answer."}


def document(session: Session) -> Schema:
    """Describe the API to one who may do what this session may."""
    system, model = session.system, session.system.model
    tables = [name for name in model.tables if session.gate.may(name, "read")]
    queries = rows.readable(session)
    paths: Schema = {}
    schemas: Schema = {"problem": _PROBLEM}
    for name in tables:
        table = model.tables[name]
        schemas[name] = _record(model, table, reading=True)
        schemas[f"{name}_write"] = _record(model, table, reading=False)
        paths[f"/api/v1/{name}"] = _many(table)
        paths[f"/api/v1/{name}/{{id}}"] = _single(table)
    for name in queries:
        paths[f"/api/v1/query/{name}"] = rows.described(model, model.queries[name], _field)
    return {
        "openapi": "3.1.0",
        "info": {"title": model.system.title, "version": str(system.version)},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"problem": {
                "description": "What went wrong.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}}}},
        },
    }


def _many(table: Table) -> Schema:
    page = {"type": "object", "required": ["records", "next"], "properties": {
        "records": {"type": "array", "items": _ref(table.name)}, "next": {"type": ["string", "null"]},
        "count": {"type": "integer"}, "count_more": {"type": "boolean"}}}
    listing = [{"name": name, "in": "query", "schema": schema, "description": text}
               for name, schema, text in _LIST_PARAMETERS]
    path: Schema = {"get": _operation(f"list_{table.name}", f"List {table.plural}", "200", page, parameters=listing)}
    if not table.abstract:
        written = _ref(f"{table.name}_write")
        path["post"] = _operation(
            f"create_{table.name}", f"Create {table.plural}: one, or a list of which all are created or none", "201",
            {"oneOf": [_ref(table.name), {"type": "array", "items": _ref(table.name)}]},
            parameters=[_KEY], body={"oneOf": [written, {"type": "array", "items": written, "minItems": 1}]})
    return path


def _single(table: Table) -> Schema:
    fields = {"name": "fields", "in": "query", "schema": {"type": "string"}}
    deleted = _operation(f"delete_{table.name}", f"Move one of {table.plural} to the trash", "204", None,
                         parameters=[_IF_MATCH, {"name": "_version", "in": "query", "schema": {"type": "integer"}}])
    return {
        "parameters": [_ID],
        "get": _operation(f"read_{table.name}", f"Read one of {table.plural}", "200", _ref(table.name),
                          parameters=[fields]),
        "patch": _operation(f"change_{table.name}", f"Change one of {table.plural}", "200", _ref(table.name),
                            parameters=[_IF_MATCH], body=_ref(f"{table.name}_write")),
        "delete": deleted,
    }


def _operation(name: str, summary: str, status: str, answer: Schema | None, *, parameters: list[Schema],
               body: Schema | None = None) -> Schema:
    answered: Schema = {"description": "Done."}
    if answer is not None:
        answered["content"] = {"application/json": {"schema": answer}}
    operation: Schema = {"operationId": name, "summary": summary, "parameters": parameters,
                         "responses": {status: answered, "default": {"$ref": "#/components/responses/problem"}}}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _record(model: Model, table: Table, *, reading: bool) -> Schema:
    properties: Schema = {"_version": {"type": "integer"}}
    if reading:
        properties = {"id": {"type": "integer"}, **properties}
    required = []
    for name, field in table.fields.items():
        if not reading and _given(field):
            continue
        properties[name] = _field(model, field)
        if reading and field.type.name == "link" and not field.many:
            properties[f"{name}_title"] = {"type": ["string", "null"]}
        if not reading and field.required is True and "default" not in field.written:
            required.append(name)
    schema: Schema = {"type": "object", "title": table.title if reading else f"{table.title} to write",
                      "properties": properties}
    if required:
        schema["description"] = f"A new record needs: {', '.join(required)}."
    return schema


def _given(field: Field) -> bool:
    """Whether a field is never set from outside."""
    return field.formula is not None or field.type.name == "sequence" or field.readonly is True


def _field(model: Model, field: Field) -> Schema:
    schema: Schema
    kind, properties = field.type.name, field.properties
    if field.expression_type.name == "choice":
        choices = model.choices[getattr(properties, "of", "")]
        one: Schema = {"type": "string"}
        if not choices.open_in_live:
            one["enum"] = list(choices.values)
        schema = _several(one, field.many)
    elif kind == "link":
        schema = _several({"type": "integer", "minimum": 1}, field.many)
        schema["description"] = f"The id of a record of {field.target}."
    elif kind == "lines":
        schema = {"type": "array", "items": {"type": "object", "additionalProperties": True},
                  "description": f"Records of {field.target}; `id` changes one, none adds one, `_delete` removes it."}
    else:
        schema = dict(_TYPES.get(kind, {}))
        most = getattr(properties, "max", None)
        if kind in ("text", "memo") and most is not None:
            schema["maxLength"] = most
    if isinstance(schema.get("type"), str) and kind != "lines" and not field.many:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return {"title": field.title, **schema} if field.title else schema


def _several(one: Schema, many: bool) -> Schema:
    return {"type": "array", "items": one} if many else one


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
