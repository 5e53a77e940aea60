"""The administrator's page that answers why somebody can or cannot see or do a thing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from core.bm.versions.places import Written
from core.ed import caches, duties, why
from core.ed.access import RIGHTS
from core.errors import BadRequest, NotFound
from core.types.characters import plain_number
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.objects import title_of
from core.web.request import once
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render

if TYPE_CHECKING:
    from core.ed.why import Answer

ACTIONS = {"read": N_("see"), "create": N_("make"), "change": N_("change"), "delete": N_("delete"),
           "export": N_("export"), "peek": N_("look up"), "unlock": N_("unlock")}
DUTIES = duties.TITLES          # asked without a table
MOST_USERS = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page was asked, as text."""

    user: str = ""
    action: str = "read"
    table: str = ""
    id: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One step as the page shows it."""

    mark: str                   # yes, no, or nothing
    says: str
    place: str
    indent: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer as the page shows it."""

    allowed: bool
    says: str
    steps: list[Shown] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def show(context: Context) -> Response:
    """The question, and its answer if one is asked."""
    asked = Asked(**{key: value.strip()[:60] for key, value in once(context.request.args).items()
                     if key in Asked.__slots__})
    verdict, problem = None, ""
    if asked.user or asked.table:
        try:
            verdict = _verdict(context, asked)
        except (BadRequest, NotFound) as error:
            problem = context.text.of(error.words)
    model, language = context.system.model, context.viewer.locale.language
    people = context.records.page("user", ["_title"], order=["name"], limit=MOST_USERS).records
    tables = sorted((model.text(f"table {name}.title", language), name) for name in model.tables)
    fields = [(model.text(f"table {asked.table}.fields.{name}.title", language), name)
              for name in model.tables[asked.table].fields] if asked.table in model.tables else []
    title = context.text("Why can somebody do this?")
    return render(context, "access.html", Frame(title, (Crumb(context.text("Administration"), "/admin"),
                                                        Crumb(title, "/admin/access")), "/admin"),
                  422 if problem else 200, asked=asked, verdict=verdict, problem=problem, tables=tables, fields=fields,
                  people=[(title_of(one), str(one["id"])) for one in people],
                  actions=[(context.text(said), name) for name, said in ACTIONS.items() if name in RIGHTS],
                  duties=[(context.text(said), name) for name, said in DUTIES.items()])


def _verdict(context: Context, asked: Asked) -> Verdict:
    user, place = _number(asked.user, "user") or 0, Written(context.settings, context.system.model)
    if asked.action in DUTIES:
        return _drawn(context, duties.why(context.session, user, asked.action, place))
    if not asked.table:
        raise BadRequest(N_("Say which records it is about."), "table")
    return _drawn(context, why.why(context.session, user, asked.action, asked.table, _number(asked.id, "id"),
                                   asked.field or None, place))


def _drawn(context: Context, answer: Answer) -> Verdict:
    said = context.text("Yes, this is allowed.") if answer.allowed else context.text("No, this is not allowed.")
    marks = {True: "yes", False: "no", None: ""}
    steps = [Shown(marks[step.holds], context.text.of(step.says), step.place, step.indent) for step in answer.steps]
    return Verdict(answer.allowed, said, steps, [context.text.of(one) for one in answer.missing])


def _number(text: str, at: str) -> int | None:
    if not text:
        return None
    found = plain_number(text)
    if found is None:
        raise BadRequest(N_("This is not the number of a record."), at)
    return found


def kept(context: Context) -> Response:
    """What this process keeps for the version, as JSON: how large each cache is, and how often it helped."""
    found = {one.name: {"entries": one.entries, "limit": one.limit, "hits": one.hits, "misses": one.misses}
             for one in caches.sizes(context.system)}
    return Response(json.dumps({"version": context.version, "caches": found}), content_type="application/json")


ROUTES = (
    Route("/admin/access", ("GET",), show, "session", "administrator"),
    Route("/admin/caches", ("GET",), kept, "session", "administrator"),
)
