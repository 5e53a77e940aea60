"""Search over everything the user may read, by type; and the quick look-ups of link fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from core.ed import query as queries
from core.errors import NotFound
from core.web.binding import known_homes, plural
from core.web.context import Context
from core.web.i18n import N_
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Frame, render

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found in one table."""

    title: str
    icon: str
    hits: list[tuple[str, str, str]]          # href, title, initials' name


def show(context: Context) -> Response:
    """The page of the search; a short list for the box in the header."""
    words = context.request.args.get("q", "").strip()[:LONGEST]
    groups = _groups(context, words) if words else []
    template = "found.html" if context.request.htmx else "search.html"
    return render(context, template, Frame(context.text("Search"), search=words), words=words, groups=groups)


def _groups(context: Context, words: str) -> list[Hits]:
    model, language = context.system.model, context.viewer.locale.language
    icons = {thing.of: thing.icon or "point" for thing in reversed(tuple(model.objects.values()))}
    homes = known_homes(context.system)
    groups: dict[str, Hits] = {}
    for found in context.records.search(words, limit=50):
        table = str(found.table)
        if table not in groups:
            groups[table] = Hits(plural(model, table, language), icons.get(table, "point"), [])
        title = str(found.title) or f"#{found.id}"
        groups[table].hits.append((f"{homes.get(table) or '/-/open/' + table}/{found.id}", title, title))
    return list(groups.values())


def lookup(context: Context, table: str, field: str) -> Response:
    """The records a link field may lead to, as somebody types."""
    definition = context.system.model.tables.get(table)
    found = definition.fields.get(field) if definition is not None else None
    readable = definition is not None and field in context.records.readable(table)
    if table == "query":                    # no table can be called so
        query, _, parameter = field.partition(".parameters.")
        asking = context.system.model.queries.get(query)
        found = asking.parameters.get(parameter) if asking is not None else None
        readable = found is not None and queries.readable(context.session, query)
    if found is None or found.type.name != "link" or not readable:
        raise NotFound(N_("There is no such field, or you may not see it."))
    words = context.request.args.get("q", "").strip()[:LONGEST]
    pairs = context.records.lookup(found.target or "", words, found.among, 20)
    return _json([{"id": identity, "title": title or f"#{identity}"} for identity, title in pairs])


def opened(context: Context, table: str, id: int) -> Response:
    """Go to a record whose kind or object is not known beforehand."""
    model = context.system.model
    if table not in model.tables:
        raise NotFound(N_("There is no such page, or you may not see it."))
    records = context.records.read(table, [id], ["id"])
    if not records:
        raise NotFound(N_("There is no such record, or you may not see it."))
    kind = str(records[0].get("_type") or table)
    homes = known_homes(context.system)
    home = homes.get(kind) or next((f"/{thing.name}" for thing in model.objects.values()
                                    if thing.rows is None and kind in model.tables[thing.of].kinds), None)
    if home is None:
        raise NotFound(N_("These records have no page of their own."))
    return redirect(f"{home}/{id}")


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), content_type="application/json")


ROUTES = (
    Route("/search", ("GET",), show, "session", "records"),
    Route("/-/lookup/<table>/<field>", ("GET",), lookup, "session", "records"),
    Route("/-/open/<table>/<id:id>", ("GET",), opened, "session", "records"),
)
