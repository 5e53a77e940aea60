"""What all of the API's ways in look at first (scope, table, body, version), and how they answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import PreconditionRequired, UnsupportedMediaType
from werkzeug.wrappers import Response

from core.ed.conflict import VersionConflict
from core.ed.scope import visible
from core.ed.scopes import RIGHTS
from core.errors import N_, BadRequest, Conflict, Denied, FieldProblem, Invalid, NotFound
from core.web.api import strict_json
from core.web.api.wire import Sees, Wire, dumps
from core.web.failures import failure_of, problem_dict

if TYPE_CHECKING:
    from core.definition.model import Table
    from core.ed.former import Translation
    from core.web.context import Context

JSON = ("application/json", "application/merge-patch+json")
LARGEST_VERSION = 2**31 - 1
_NOT_FOR = {"read": N_("This token is not for reading."), "write": N_("This token is not for writing."),
            "export": N_("This token is not for exporting.")}
_ETAG = re.compile(r'"(\d{1,10})"', re.ASCII)


# What is asked

def begin(context: Context, table: str, scope: str) -> Table:
    """Mark the session as the API's and find the table; raises Denied, NotFound."""
    in_scope(context, scope, table)
    context.session.how = "api"
    definition = context.system.model.tables.get(table)
    if definition is None:
        raise NotFound('There is no table "{table}".', table=table[:60])
    return definition


def in_scope(context: Context, scope: str, table: str | None = None) -> None:
    """A token may be for less than its user may do; raises Denied. The gate keeps to the same, however deep."""
    scopes = context.account.scopes if context.account else None
    if scopes is None:
        return
    right = "create" if scope == "write" else scope
    if not any(right in RIGHTS[word] for word, _ in scopes.tables):
        raise Denied(_NOT_FOR[scope])
    if table is not None and not scopes.allow(context.system.model, table, right):
        raise Denied('This token is not for the table "{table}".', table=table[:60])


def account_id(context: Context) -> int:
    """The account that asks; raises Denied where there is none."""
    if context.account is None:
        raise Denied("This needs an account.")
    return context.account.id


def body_bytes(context: Context) -> bytes:
    """The body, if it is said to be JSON as it is; raises UnsupportedMediaType."""
    request = context.request
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype not in JSON or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(N_("Send the body as application/json in UTF-8."))
    return request.get_data()


def body_object(body: object) -> dict[str, Any]:
    """A body that is one record; raises BadRequest."""
    if not isinstance(body, dict):
        raise BadRequest("A record is an object of fields.", "body")
    return body


def records_of(context: Context, definition: Table, data: bytes) -> Any:
    """What a body holds, in the names of now. Raises BadRequest, and Invalid where a field stands under two names."""
    body, translation = strict_json.loads(data), context.former
    if translation is None:
        return body
    problems: list[FieldProblem] = []
    found = [_renamed(translation, definition, row, "", place, problems) for place, row in enumerate(body)] \
        if isinstance(body, list) else _renamed(translation, definition, body, "", None, problems)
    if problems:
        raise Invalid(problems)
    return found


def _renamed(translation: Translation, definition: Table, body: Any, path: str, row: int | None,
             problems: list[FieldProblem]) -> Any:
    """A record, and the lines in it, in the names of now."""
    if not isinstance(body, dict):
        return body
    found: dict[str, Any] = {}
    for key, value in body.items():
        name = translation.field(definition.name, key)
        if name != key and name in body:
            twice = N_('“{old}” is called “{new}” now: send one of them.')
            problems.append(FieldProblem(f"{path}{key}", "twice", twice, {"old": key, "new": name}, row))
            continue
        field = definition.fields.get(name)
        if field is not None and field.type.is_lines and isinstance(value, list) and field.target is not None:
            inner = translation.model.tables[field.target]
            value = [_renamed(translation, inner, line, f"{path}{key}.{number}.", row, problems)
                     for number, line in enumerate(value)]
        found[name] = translation.value(definition.name, name, value)
    return found


def version_of(value: object, at: str = "_version") -> int | None:
    """A record's version in a body; raises BadRequest."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_VERSION:
        raise BadRequest("A version is a whole number.", at)
    return value


def matched_version(context: Context, sent: int | None) -> int | None:
    """The version that the caller has read, from If-Match or as it was sent elsewhere; raises BadRequest."""
    header = context.request.headers.get("If-Match")
    if header is None:
        return sent
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise BadRequest("If-Match takes one ETag as it was given, such as \"3\" in quotes.", "If-Match")
    matched = version_of(int(match[1]), "If-Match")
    if sent is not None and matched != sent:
        raise BadRequest("If-Match and \"_version\" do not agree.", "_version")
    return matched


class VersionMissing(PreconditionRequired):
    """A change that does not say which version of the record it is of; `problems` say where, if in several."""

    def __init__(self, problems: Iterable[FieldProblem] = ()) -> None:
        super().__init__(N_("Say which version of the record you change: If-Match or \"_version\"."))
        self.problems = tuple(problems)


# What is answered

def wire_of(context: Context, definition: Table) -> Wire:
    """What reads and writes the records of a table, once for each version."""
    return context.system.cache.get(("wire", definition.name), lambda: Wire(context.system.model, definition))


def sees(context: Context) -> Sees:
    """Whether the caller may know of a table's field."""
    gate = context.session.gate
    return lambda table, field: visible(gate, table, field)


def shown(context: Context, definition: Table, sent: Collection[str] = ()) -> tuple[str, ...]:
    """What is shown unless told: all but lines, which are a statement each and may be many; lines if they were sent."""
    readable = context.records.readable(definition.name)
    return tuple(name for name in readable if name in sent or not definition.fields[name].type.virtual)


def json_answer(body: object, status: int = 200) -> Response:
    """An answer in JSON."""
    return Response(dumps(body), status=status, content_type="application/json")


def etag(record: Mapping[str, Any]) -> str | None:
    """The ETag of a record: its version."""
    version = record.get("_version")
    return None if version is None else f'"{version}"'


def unchanged(context: Context, tag: str | None) -> bool:
    """Whether the caller has what it asks for already (If-None-Match)."""
    return tag is not None and context.request.if_none_match.contains_weak(tag.strip('"'))


def not_modified(tag: str) -> Response:
    """The answer to somebody who has the record as it is."""
    return Response("", status=304, headers={"ETag": tag})


def warned(context: Context, records: list[dict[str, Any]], warnings: Iterable[FieldProblem]) -> None:
    """Put what rules warn of into the records that they are about."""
    for warning in warnings:
        place = warning.row or 0
        if place < len(records):
            told = problem_dict(warning, context.text)
            told.pop("row", None)
            records[place].setdefault("_warnings", []).append(told)


def conflict_answer(context: Context, definition: Table, conflict: Conflict, row: int | None = None) -> Response:
    """409 with the record as it is now, as far as the caller may read it."""
    failure = failure_of(conflict)
    body: dict[str, Any] = {
        "type": "about:blank", "title": failure.title(context.text), "status": 409,
        "detail": failure.message(context.text), "request_id": context.request_id,
        "errors": [problem_dict(p, context.text) for p in failure.problems],
        "fields": list(conflict.fields), "current": wire_of(context, definition).out([conflict.current])[0]}
    if isinstance(conflict, VersionConflict):
        body["changed"] = [one.as_json() for one in conflict.changed]
    if row is not None:
        body["row"] = row
    return Response(dumps(body), status=409, content_type="application/problem+json")
