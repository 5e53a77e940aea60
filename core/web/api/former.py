"""The API under former names: what is asked is read in the names of now, and answered in the names that were asked.

Only what a request says is translated, so an answer names nothing by a former name that its sender did not use. Headers
tell how long the name will do: Deprecation (RFC 9745), Sunset (RFC 8594), and Tessera-Renamed with the names of now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date
from werkzeug.wrappers import Response

from core.errors import TesseraError
from core.web import failures
from core.web.api.groups import AGGREGATE
from core.web.api.wire import dumps

if TYPE_CHECKING:
    from core.ed.former import Translation
    from core.web.context import Context

RENAMED = "Tessera-Renamed"


def accept(context: Context, translation: Translation, endpoint: Callable[..., Response],
           arguments: Mapping[str, Any]) -> Response:
    """Answer a request of the API as it was asked. Raises what the endpoint raises, unless it used a former name."""
    said = context.request.args
    table = translation.table(arguments["table"]) if "table" in arguments else ""
    given = {**arguments, **({"table": table} if table else {})}
    if "field" in arguments and table in translation.model.tables:
        given["field"] = translation.field(table, arguments["field"])
    try:
        if table in translation.model.tables:
            context.request.args = ImmutableMultiDict(
                (name, _parameter(translation, table, name, text)) for name, text in said.items(multi=True))
        response = endpoint(context, **given)
    except (TesseraError, HTTPException) as error:
        if not translation.used or failures.failure_of(error).status >= 500:
            raise
        response = failures.answer(context, error)
    finally:
        context.request.args = said                 # a request that lost a race is read again
    return _answered(context, translation, table, arguments, response) if translation.used else response


def _parameter(translation: Translation, table: str, name: str, text: str) -> str:
    """One parameter of an address, in the names of now."""
    if name == "where":
        return translation.condition(table, text)
    if name in ("fields", "order", "group"):
        return ",".join(translation.entry(table, part.strip(" ")) for part in text.split(","))
    if name == "aggregate":
        return ",".join(_aggregate(translation, table, part.strip()) for part in text.split(","))
    return text


def _aggregate(translation: Translation, table: str, part: str) -> str:
    """A value of groups, which keeps the name that it has in the words of its sender."""
    match = AGGREGATE.fullmatch(part)
    if match is None or not match[3]:
        return part
    path = translation.path(table, match[3])
    if path == match[3]:
        return part
    name = match[1] or "_".join([match[2], *match[3].split(".")]).rstrip("_")
    return f"{name}:{match[2]}({path})"


def _answered(context: Context, translation: Translation, table: str, arguments: Mapping[str, Any],
              response: Response) -> Response:
    """The answer in the names that were asked, with the headers that tell of the new ones."""
    used = sorted(translation.used.values(), key=lambda one: (one.old, one.new))
    response.headers["Deprecation"] = f"@{int(min(one.since for one in used).timestamp())}"
    response.headers["Sunset"] = http_date(min(one.until for one in used))
    response.headers[RENAMED] = ", ".join(f"{one.old}={one.new}" for one in used)
    old = arguments.get("table", "")
    if old != table:
        way = context.request.path.replace(f"/{old}", f"/{table}", 1)
        response.headers["Link"] = f'<{quote(way)}>; rel="successor-version"'
        location = response.headers.get("Location")
        if location is not None:
            response.headers["Location"] = location.replace(f"/{table}/", f"/{old}/", 1)
    if table in translation.model.tables and (response.mimetype or "").endswith("json") \
            and not response.is_streamed and "Content-Disposition" not in response.headers:
        groups = {part for part in context.request.args.get("group", "").split(",") if part}
        response.data = dumps(_body(translation, table, json.loads(response.data), groups))
    return response


def _body(translation: Translation, table: str, body: Any, groups: set[str]) -> Any:
    """What is answered, by its shape: a page of records, groups, a problem, records or one of them."""
    if isinstance(body, list):
        return [_said(translation, table, record) for record in body]
    if not isinstance(body, dict) or set(body) == {"count", "ids"}:
        return body
    if "records" in body and "next" in body:
        return {**body, "records": [_said(translation, table, record) for record in body["records"]]}
    if "groups" in body and "more" in body:
        return {**body, "groups": [_group(translation, table, group, groups) for group in body["groups"]]}
    if "request_id" in body and "status" in body:
        return _problem(translation, table, body)
    return _said(translation, table, body)


def _said(translation: Translation, table: str, record: Any) -> Any:
    """A record, and the lines in it, by the names that were asked."""
    if not isinstance(record, dict):
        return record
    found = {}
    for key, value in record.items():
        field = translation.model.field(table, key)
        if field is not None and field.type.is_lines and isinstance(value, list) and field.target is not None:
            value = [_said(translation, field.target, line) for line in value]
        if key == "_warnings":
            value = [_at_field(translation, table, one) for one in value]
        found[translation.said_path(table, key)] = value
    return found


def _group(translation: Translation, table: str, group: Mapping[str, Any], said: set[str]) -> dict[str, Any]:
    """A group; only its keys are fields, and what goes with them. Those that were asked are the sender's words."""
    names = {part.strip(" ") for part in said}
    names |= {name + ending for name in names for ending in ("_title", "_table")}
    found = {}
    for key, value in group.items():
        path, colon, unit = key.partition(":")
        asked = f"{translation.said_path(table, path)}{colon}{unit}"
        found[asked if asked in names else key] = value
    return found


def _problem(translation: Translation, table: str, body: dict[str, Any]) -> dict[str, Any]:
    """Problem details: the places of what is wrong, and the record as it is now."""
    for key in ("errors", "changed"):
        if isinstance(body.get(key), list):
            body[key] = [_at_field(translation, table, one) for one in body[key]]
    if isinstance(body.get("fields"), list):
        body["fields"] = [translation.said_path(table, name) for name in body["fields"]]
    if isinstance(body.get("current"), dict):
        body["current"] = _said(translation, table, body["current"])
    return body


def _at_field(translation: Translation, table: str, one: Any) -> Any:
    if not isinstance(one, dict) or not isinstance(one.get("field"), str):
        return one
    return {**one, "field": translation.said_path(table, one["field"])}
