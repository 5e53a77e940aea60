"""Addresses and forms under former names: what was opened or bookmarked before a promotion is still understood."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.wrappers import Response

from core.ed.former import Translation
from core.web import clash
from core.web.api import former as api
from core.web.form_live import CHANGED, TYPED
from core.web.pages.objects import visible
from core.web.response import redirect
from core.web.state import PATHS

if TYPE_CHECKING:
    from core.web.context import Context

MOST_MEMORY = 1_000_000


def call(context: Context, endpoint: Callable[..., Response], arguments: Mapping[str, Any]) -> Response:
    """Run a handler with what was sent in the names of now; a page of another name is gone to first."""
    if context.session is None or not context.system.former.all:
        return endpoint(context, **arguments)
    translation = context.former = Translation(context.session)
    if context.request.path.startswith("/api/"):
        return api.accept(context, translation, endpoint, arguments)
    given = dict(arguments)
    if "table" in given:
        given["table"] = translation.table(given["table"])
        if "field" in given:
            given["field"] = translation.path(given["table"], given["field"])
    if "object" in given:
        given["object"] = _object(context, given["object"])
        if given["object"] != arguments["object"] and context.request.method == "GET" and not context.request.htmx:
            return _moved(context, arguments["object"], given["object"])
        thing = context.system.model.objects.get(given["object"])
        if thing is not None:
            context.request.args = _address(translation, thing.of, context.request.args)
    return endpoint(context, **given)


def field(context: Context, table: str, name: str) -> str:
    """The name of now of a field that a form names."""
    return name if context.former is None else context.former.field(table, name)


def read_form(context: Context, table: str) -> None:
    """Let the form that was sent stand in the names of now: its controls, and what it remembers of them."""
    translation, request = context.former, context.request
    if translation is None:
        return
    request.form = ImmutableMultiDict((new, _value(translation, table, new, _memory(translation, table, key, value)))
                                      for key, value in request.form.items(multi=True)
                                      for new in (_key(translation, table, key),))
    request.files = ImmutableMultiDict((_key(translation, table, key), file)
                                       for key, file in request.files.items(multi=True))


def _object(context: Context, name: str) -> str:
    """What a page of records is called now, for those who may see it."""
    if name in context.system.model.objects:
        return name
    found = context.system.former.object(name)
    if found is None or not context.session.environment.now < found.until:
        return name
    return found.new if visible(context.session, context.system.model.objects[found.new]) else name


def _moved(context: Context, old: str, new: str) -> Response:
    """Go on to the same page by its name of now."""
    parts = context.request.path.split("/")
    parts[parts.index(old)] = new
    query = context.request.query_string.decode("ascii", "replace")
    return redirect(quote("/".join(parts)) + (f"?{query}" if query else ""))


def _address(translation: Translation, table: str, args: MultiDict[str, str]) -> MultiDict[str, str]:
    """The address of a list: its columns, order, groups and condition."""
    def one(key: str, text: str) -> str:
        if key == "where":
            return translation.condition(table, text)
        if key in PATHS:
            return ",".join(translation.entry(table, part) for part in text.split(","))
        return text
    return ImmutableMultiDict((key, one(key, text)) for key, text in args.items(multi=True))


def _key(translation: Translation, table: str, key: str) -> str:
    """A control: `size`, `size~`, `lines.3.item`, `_choice.size`."""
    if key.startswith(clash.CHOICE):
        return clash.CHOICE + _key(translation, table, key.removeprefix(clash.CHOICE))
    stem = key.rstrip("~-")
    first, dot, rest = stem.partition(".")
    name = translation.field(table, first)
    place, _, column = rest.partition(".")
    target = _lines_of(translation, table, name)
    if target is not None and column:
        rest = f"{place}.{translation.field(target, column)}"
    return f"{name}{dot}{rest}{key[len(stem):]}"


def read_value(context: Context, table: str, name: str, key: str) -> None:
    """Let one control of a form, which is of a field, stand in the names of now."""
    translation, request = context.former, context.request
    if translation is not None:
        request.form = ImmutableMultiDict((other, translation.value(table, name, value) if other == key else value)
                                          for other, value in request.form.items(multi=True))


def _value(translation: Translation, table: str, key: str, value: Any) -> Any:
    """What a control of now says, a text or several: a value of choices by its name of now."""
    first, _, rest = key.partition(".")
    target, column = _lines_of(translation, table, first), rest.partition(".")[2]
    return translation.value(target or table, column if target is not None else first, value)


def _lines_of(translation: Translation, table: str, name: str) -> str | None:
    found = translation.model.field(table, name)
    return found.target if found is not None and found.type.is_lines else None


def _memory(translation: Translation, table: str, key: str, value: str) -> str:
    """What a form remembers: how its controls began, and where somebody typed."""
    if key in (TYPED, CHANGED):
        return " ".join(_key(translation, table, name) for name in value.split(" "))
    if key not in ("_base", clash.ORIGINAL) or len(value) > MOST_MEMORY:
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    if not isinstance(found, dict):
        return value
    return json.dumps({now: _value(translation, table, now, _lines(translation, table, name, began))
                       for name, began in found.items() for now in (translation.field(table, name),)},
                      ensure_ascii=False, separators=(",", ":"))


def _lines(translation: Translation, table: str, name: str, began: Any) -> Any:
    """How lines began, each by its columns."""
    target = _lines_of(translation, table, translation.field(table, name))
    if target is None or not isinstance(began, dict):
        return began
    return {line: {now: translation.value(target, now, texts) for column, texts in columns.items()
                   for now in (translation.field(target, column),)}
            if isinstance(columns, dict) else columns for line, columns in began.items()}
