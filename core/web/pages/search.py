"""Search over everything the user may read, by type; and the quick look-ups of link fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from core.ed import naming, relations, search
from core.ed import query as queries
from core.ed.highlight import Piece, is_marked, pieces
from core.errors import BadRequest, NotFound
from core.web.binding import field_title, homes, known_homes, plural
from core.web.context import Context
from core.web.i18n import N_
from core.web.linking import choices
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import Frame, render
from core.web.state import ListState
from core.web.widgets.link import ANYWHERE

if TYPE_CHECKING:
    from core.definition.model import Model, Object
    from core.ed.search import Found

LONGEST = 200
MOST_NAMES = 400
FEW, MANY = 4, 8                # records shown of each table: while somebody types, and on the page


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found: its title, and the field that holds the words where that is another."""

    href: str
    title: tuple[Piece, ...]
    field: str
    text: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What was found in one table; `all` leads to its list with the same words."""

    title: str
    icon: str
    hits: tuple[Hit, ...]
    count: int
    more: bool
    all: str


def show(context: Context) -> Response:
    """The page of the search; a short list for the box in the header."""
    words = context.request.args.get("q", "").strip()[:LONGEST]
    typing = context.request.htmx
    problem: BadRequest | None = None
    groups: list[Group] = []
    try:
        groups = _groups(context, words, FEW if typing else MANY) if words else []
    except BadRequest as error:
        if typing or error.at != "search":
            raise
        context.undo()
        problem = error
    return render(context, "found.html" if typing else "search.html", Frame(context.text("Search"), search=words),
                  400 if problem else 200, words=words, groups=groups, found=sum(group.count for group in groups),
                  problem=context.text.of(problem.words) if problem else "")


def _groups(context: Context, words: str, each: int) -> list[Group]:
    model, language = context.system.model, context.viewer.locale.language
    places = context.system.cache.get("search places", lambda: _places(model))
    groups = []
    for hits in search.everywhere(context.session, words, each):
        place = places.get(hits.table)
        if place is not None:
            thing, exact = place
            every = ListState(f"/{thing.name}", search=words, filters=()).url() if exact else ""
            groups.append(Group(plural(model, hits.table, language), thing.icon or "point",
                                tuple(_hit(model, found, words, f"/{thing.name}", language) for found in hits.found),
                                hits.count, hits.more, every))
    return groups


def _places(model: Model) -> dict[str, tuple[Object, bool]]:
    """The object in which the records of each table are opened, and whether its list holds just these."""
    named = {f"/{thing.name}": thing for thing in model.objects.values()}
    found = {table: (named[home], True) for table, home in homes(model).items()}
    for thing in model.objects.values():
        for kind in model.tables[thing.of].kinds if thing.rows is None else ():
            found.setdefault(kind, (thing, False))
    return found


def _hit(model: Model, found: Found, words: str, home: str, language: str) -> Hit:
    """A record with its words marked, and the first field that holds them where its title does not."""
    title = pieces(found.title or f"#{found.id}", words)
    for field, text in found.texts:
        marked = pieces(text, words)
        if is_marked(marked) and text != found.title and not (is_marked(title) and text in found.title):
            return Hit(f"{home}/{found.id}", title, field_title(model, field, language), marked)
    return Hit(f"{home}/{found.id}", title, "", ())


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
    if found is None or not found.type.is_link or not readable:
        raise NotFound(N_("There is no such field, or you may not see it."))
    words = context.request.args.get("q", "").strip()[:LONGEST]
    if found.target is None:
        return _json(choices(context, found, words))
    pairs = context.records.lookup(found.target or "", words, found.among, 20)
    return _json([{"id": identity, "title": title or f"#{identity}"} for identity, title in pairs])


def names(context: Context, table: str, field: str) -> Response:
    """The tables or fields that a field may name, as somebody types; `table` asks for those of that table."""
    definition = context.system.model.tables.get(table)
    found = definition.fields.get(field) if definition is not None else None
    if found is None or found.type.name not in ("table", "field") or field not in context.records.readable(table):
        raise NotFound(N_("There is no such field, or you may not see it."))
    words = context.request.args.get("q", "").strip()[:LONGEST].lower()
    known = naming.named_by(context.session, found, context.request.args.get("beside", "")[:LONGEST])
    fitting = [(name, title) for name, title in known if words in name.lower() or words in title.lower()]
    return _json([{"id": name, "title": title, "kind": name} for name, title in fitting[:MOST_NAMES]])


def opened(context: Context, table: str, id: int) -> Response:
    """Go to a record whose kind or object is not known beforehand."""
    model = context.system.model
    if table == ANYWHERE:
        table = relations.locate(context.session, [id]).get(id, "")
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
    Route("/-/names/<table>/<field>", ("GET",), names, "session", "records"),
    Route("/-/open/<table>/<id:id>", ("GET",), opened, "session", "records"),
)
