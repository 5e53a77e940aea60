"""The API's own description, OpenAPI 3.1, written from the Model for what one set of roles and scopes may do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from core.ed import grouping
from core.ed.export_formats import built_in
from core.ed.read import MOST_FIELDS, MOST_KEYS
from core.web.api import rows, schemas
from core.web.api.exchange import JSON
from core.web.api.idempotency import KEY
from core.web.api.query import DEFAULT_LIMIT, LONGEST_SEARCH, MOST
from core.web.api.schemas import ID, Schema, ref
from core.web.api.writing import MOST_RECORDS

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.ed.session import Session

PATH = r"^( *-?[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)* *)?$"        # an empty parameter is none
PLAIN_PATH = PATH.replace("-?", "")
COUNT: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_RECORDS}
SCHEMAS: Schema = {
    "Problem": {
        "type": "object", "title": "What went wrong (RFC 9457)", "required": ["type", "title", "status", "request_id"],
        "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "detail": {"type": "string"}, "request_id": {"type": "string"},
            "at": {"type": "string", "description": "400: the parameter that is not understood."},
            "column": {"type": "integer", "description": "400: the place in it, from 1."},
            "row": {"type": "integer", "description": "409: the place in the list that was sent, from 0."},
            "current": {"type": "object", "description": "409: the record as it is now."},
            "fields": {"type": "array", "items": {"type": "string"}, "description": "409: what others changed."},
            "changed": {"type": "array", "items": ref("Difference"), "description": "409: the same with values."},
            "errors": {"type": "array", "items": ref("Error")}}},
    "Error": {
        "type": "object", "title": "What is wrong with one value", "required": ["field", "code", "message"],
        "properties": {
            "field": {"type": "string", "description": "A path into the body: `lines.2.price`."},
            "code": {"type": "string", "description": "Stable."},
            "message": {"type": "string", "description": "In the language of the token's user."},
            "row": {"type": "integer", "description": "The place in the list that was sent, from 0."}}},
    "Warning": {
        "type": "object", "title": "What a rule warns of", "required": ["field", "code", "message"],
        "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}}},
    "Difference": {
        "type": "object", "title": "A field that others changed", "required": ["field", "theirs", "original"],
        "properties": {"field": {"type": "string"}, "yours": {}, "theirs": {}, "original": {}}},
    "Written": {
        "type": "object", "title": "The records that were written", "required": ["count", "ids"],
        "additionalProperties": False,
        "properties": {"count": {"type": "integer"}, "ids": {"type": "array", "items": ID}}},
    "File": {**schemas.STORED_FILE, "title": "A file that waits to be written into a field"},
}
PROBLEM: Schema = {"$ref": "#/components/responses/Problem"}
RESPONSES: Schema = {"Problem": {
    "description": "What went wrong; nothing was changed.",
    "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "429 and 503: seconds to wait."}},
    "content": {"application/problem+json": {"schema": ref("Problem")}}}}


def _query(name: str, schema: Schema, description: str, **more: Any) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description, **more}


def _names(name: str, pattern: str, most: int, description: str, **more: Any) -> Schema:
    names = {"type": "array", "items": {"type": "string", "pattern": pattern}, "maxItems": most, "uniqueItems": True}
    return _query(name, names, description, style="form", explode=False, **more)


def _header(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "schema": schema, "description": description}


PARAMETERS: Schema = {
    "id": {"name": "id", "in": "path", "required": True, "schema": ID},
    "where": _query("where", {"type": "string"}, "A condition in the language of expressions.",
                    examples={"newer": {"value": "created_on >= date(2024, 1, 1)"}}),
    "q": _query("q", {"type": "string", "maxLength": LONGEST_SEARCH}, "Words that a record holds."),
    "fields": _names("fields", PLAIN_PATH, MOST_FIELDS, "Names, and paths through links: `name,company.city`.",
                     example=["id"]),
    "order": _names("order", PATH, MOST_KEYS, "Names and paths; a minus sign before one: from high to low.",
                    example=["-id"]),
    "limit": _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
                    "Most records of a page."),
    "after": _query("after", {"type": "string", "maxLength": 4000}, "The `next` of the page before."),
    "count": _query("count", {"type": "string", "enum": ["0", "1"]}, "1: say how many there are, up to 10,000."),
    "group": _names("group", r"^( *[a-z_][a-z0-9_.]*(:(day|week|month|quarter|year))? *)?$", grouping.MOST_KEYS,
                    "Answer groups: names and paths, dates with a unit: `stage,close_date:month`."),
    "aggregate": _query("aggregate", {"type": "string"}, "What is worked out for each group: `count(),sum(amount)`, "
                        "also `avg min max count_distinct`; `total:sum(amount)` names it. Their values are called "
                        "`count`, `sum_amount`, `total`.", examples={"number": {"value": "count()"}}),
    "having": _query("having", {"type": "string"}, "Which groups: `count>=2,sum_amount>1000`."),
    "offset": _query("offset", {"type": "integer", "minimum": 0, "maximum": grouping.LARGEST_OFFSET},
                     "How many groups to skip."),
    "format": _query("format", {"type": "string", "enum": list(built_in())}, "All records that meet the condition, as "
                     "a file; goes with `where q fields order links` only, and needs the right to export."),
    "links": _query("links", {"type": "string", "enum": ["title", "id", "both"], "default": "title"},
                    "With `format`: what stands for a linked record in a table of cells."),
    "ids": _names("ids", r"^[1-9][0-9]{0,18}(@[1-9][0-9]{0,9})?$", MOST_RECORDS,
                  "The records, each with the version it was read in if that matters: `12,13@4`."),
    "expected": _query("count", COUNT, "With `where`: how many records you expect to meet it; else nothing is done."),
    "version": _query("_version", schemas.VERSION, "Only if the record is still of this version."),
    "if_match": _header("If-Match", {"type": "string", "pattern": '^"[1-9][0-9]{0,9}"$'},
                        "The record's version as its ETag: `\"3\"`."),
    "if_none_match": _header("If-None-Match", {"type": "string"}, "An ETag; 304 if it still holds."),
    "key": _header("Idempotency-Key", {"type": "string", "pattern": f"^{KEY}$"},
                   "Sent again with the same request within a day, it gets the first answer."),
}
_LIST = ("where", "q", "fields", "order", "limit", "after", "count", "group", "aggregate", "having", "offset")
_EXPORT = ("format", "links")


def document(session: Session) -> Schema:
    """Describe the API to one who may do what this session may."""
    gate, model = session.gate, session.system.model
    readable = [table for name, table in model.tables.items() if gate.may(name, "read")]
    paths: Schema = {}
    components = dict(SCHEMAS)
    for table in readable:
        components[table.name] = schemas.record(gate, table)
        components[f"{table.name}.line"] = schemas.line(gate, table)
        if _creates(session, table):
            components[f"{table.name}.new"] = schemas.new_record(gate, table)
        if gate.may(table.name, "change"):
            components[f"{table.name}.change"] = schemas.changed_record(gate, table)
        paths |= _paths(session, table)
    for name in rows.readable(session):
        paths[f"/api/v1/query/{name}"] = rows.described(session, model.queries[name])
    if gate.scopes is None or any(word == "write" for word, _ in gate.scopes.tables):
        paths["/api/v1/files"] = {"post": _upload()}
    return {
        "openapi": "3.1.0",
        "info": {"title": model.system.title, "version": str(session.system.version),
                 "description": "Records as JSON, with the rights, rules and history that pages have."},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _needed(paths, components), "parameters": PARAMETERS, "responses": RESPONSES,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _creates(session: Session, table: Table) -> bool:
    return not table.abstract and session.gate.may(table.name, "create")


def _paths(session: Session, table: Table) -> Schema:
    """The ways to the records of one table, as far as they may be gone."""
    gate, name = session.gate, table.name
    many: Schema = {"get": _list(table, exports=gate.may(name, "export"))}
    single: Schema = {"parameters": [_parameter("id")], "get": _operation(
        f"read_{name}", f"Read one of {table.plural}", {"200": _answer(ref(name), etag=True), "304": _same()},
        ("fields", "if_none_match"))}
    if _creates(session, table):
        new = ref(f"{name}.new")
        many["post"] = _operation(
            f"create_{name}", f"Create {table.plural}: one, or a list of which all are created or none",
            {"201": _answer({"anyOf": [ref(name), _array(ref(name))]}, etag=True, links=table)}, ("key",),
            {"anyOf": [new, _array(new)]}, _example(session, table))
    if gate.may(name, "change"):
        change = ref(f"{name}.change")
        entry = {"allOf": [change, {"type": "object", "required": ["id", "_version"]}]}
        many["patch"] = _operation(
            f"change_all_{name}", f"Change several of {table.plural}, all or none: a list with `id` and `_version` of "
            "each, or one change of all that `where` finds",
            {"200": _answer({"anyOf": [_array(ref(name)), ref("Written")]})}, ("where", "expected", "key"),
            {"anyOf": [_array(entry), change]})
        single["patch"] = _operation(f"change_{name}", f"Change one of {table.plural}",
                                     {"200": _answer(ref(name), etag=True)}, ("if_match", "key"), change)
    if gate.may(name, "delete"):
        many["delete"] = _operation(f"delete_all_{name}", f"Move several of {table.plural} to the trash, all or none",
                                    {"200": _answer(ref("Written"))}, ("ids", "where", "expected", "key"))
        single["delete"] = _operation(f"delete_{name}", f"Move one of {table.plural} to the trash",
                                      {"204": {"description": "Done."}}, ("if_match", "version", "key"))
    paths = {f"/api/v1/{name}": many, f"/api/v1/{name}/{{id}}": single}
    for field in gate.readable(name):
        if table.fields[field].type.is_file:
            paths[f"/api/v1/{name}/{{id}}/{field}"] = {"parameters": [_parameter("id")], "get": _fetch(table, field)}
    if table.lock is not None and gate.may(name, "unlock"):
        paths |= _actions(table)
    return paths


def _list(table: Table, *, exports: bool) -> Schema:
    page = {"type": "object", "required": ["records", "next"], "additionalProperties": False, "properties": {
        "records": _array(ref(table.name), least=0), "next": {"type": ["string", "null"]},
        "count": {"type": "integer", "minimum": 0}, "count_more": {"type": "boolean"}}}
    groups = {"type": "object", "required": ["groups", "more"], "additionalProperties": False, "properties": {
        "groups": {"type": "array", "items": {"type": "object"}}, "more": {"type": "boolean"}}}
    if not exports:
        return _operation(f"list_{table.name}", f"List {table.plural}, or groups of them",
                          {"200": _answer({"anyOf": [page, groups]})}, _LIST)
    answer = _answer({"anyOf": [page, groups, {"type": "array", "items": {"type": "object"}}]})
    answer["content"] |= {one.media.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
                          for one in built_in().values() if one.name != "json"}
    return _operation(f"list_{table.name}", f"List {table.plural}, or groups of them, or export them",
                      {"200": answer}, (*_LIST, *_EXPORT))


def _actions(table: Table) -> Schema:
    """Unlocking a locked record, and locking it again."""
    until = {"type": "object", "required": ["id", "until"], "properties": {"id": ID, "until": schemas.MOMENT}}
    reason = {"type": "object", "required": ["reason"], "additionalProperties": False,
              "properties": {"reason": {"type": "string"}}}
    verbs = {"unlock": _operation(f"unlock_{table.name}", f"Unlock one of {table.plural} until it is saved, an hour at "
                                  "most", {"200": _answer(until)}, (), reason),
             "lock": _operation(f"lock_{table.name}", f"Lock one of {table.plural} again",
                                {"204": {"description": "Done."}}, ())}
    return {f"/api/v1/{table.name}/{{id}}/{verb}": {"parameters": [_parameter("id")], "post": operation}
            for verb, operation in verbs.items()}


def _upload() -> Schema:
    binary: Schema = {"type": "string", "format": "binary"}
    form = {"type": "object", "required": ["file"], "properties": {"file": binary}, "additionalProperties": False}
    operation = _operation("upload_file", "Send a file, to write its id into a field within a day",
                           {"201": _answer(ref("File"))}, ("key",))
    operation["parameters"].append(_query("name", {"type": "string", "maxLength": 400},
                                          "The file's name, where the body is the file itself."))
    operation["parameters"].append({
        "name": "Content-Digest", "in": "header",
        "schema": {"type": "string", "pattern": "^sha-256=:[A-Za-z0-9+/]{43}=:$"},
        "description": "The file's SHA-256 (RFC 9530), also in a form; a file that differs is refused."})
    operation["requestBody"] = {"required": True, "content": {
        "application/octet-stream": {"schema": binary}, "multipart/form-data": {"schema": form}}}
    return operation


def _fetch(table: Table, field: str) -> Schema:
    found = {"description": "The file.", "headers": {"ETag": {"schema": {"type": "string"}}},
             "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
    return _operation(f"file_{table.name}_{field}", f"The file in {field} of one of {table.plural}",
                      {"200": found, "206": found, "304": _same()}, ("if_none_match",))


def _operation(name: str, summary: str, answers: Schema, parameters: Iterable[str], body: Schema | None = None,
               example: object = None) -> Schema:
    operation: Schema = {"operationId": name, "summary": summary,
                         "parameters": [_parameter(one) for one in parameters],
                         "responses": {**answers, "4XX": PROBLEM, "5XX": PROBLEM}}
    if body is not None:
        content: Schema = {"schema": body}
        if example is not None:
            content["example"] = example
        operation["requestBody"] = {"required": True, "content": {JSON[0]: content}}
    return operation


def _parameter(name: str) -> Schema:
    return {"$ref": f"#/components/parameters/{name}"}


def _answer(schema: Schema, *, etag: bool = False, links: Table | None = None) -> Schema:
    found: Schema = {"description": "Done.", "content": {"application/json": {"schema": schema}}}
    if etag:
        found["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "The record's version."}}
    if links is not None:
        found["links"] = {verb: {"operationId": f"{verb}_{links.name}", "parameters": {"id": "$response.body#/id"}}
                          for verb in ("read",)}
    return found


def _same() -> Schema:
    return {"description": "It is what the caller has."}


def _array(items: Schema, least: int = 1) -> Schema:
    found: Schema = {"type": "array", "items": items, "maxItems": MOST_RECORDS}
    if least:
        found["minItems"] = least
    return found


def _example(session: Session, table: Table) -> Schema:
    """A record with what it cannot do without, and a little more, as somebody might create it."""
    schema = schemas.new_record(session.gate, table)
    needed = schema.get("required", ())
    found: Schema = {}
    for name, one in schema["properties"].items():
        if name in needed or (len(found) < 4 and table.fields[name].type.name in ("text", "email", "money", "date")):
            found[name] = _sample(one, table.fields[name].title or name)
    return found


def _sample(schema: Schema, title: str) -> object:
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    return {"string": title, "integer": max(1, schema.get("minimum", 1)), "number": 1.5, "boolean": True,
            "array": []}.get(kind, title)


def _needed(paths: Schema, components: Schema) -> Schema:
    """The components that are named, and those that these name."""
    found: Schema = {name: components[name] for name in ("Problem", "Error", "Warning", "Difference")}
    waiting: list[object] = [paths]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in components and name not in found:
                found[name] = components[name]
                waiting.append(components[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return {name: found[name] for name in components if name in found}
