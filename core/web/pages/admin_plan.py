"""The plan of a promotion or of a way back: what changes, what is asked, what it costs, and the consent to it."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from werkzeug.wrappers import Response

from core.bm import service
from core.bm.engine import history
from core.bm.engine.steps import Plan
from core.bm.planning import seen
from core.errors import BadRequest, Conflict, DefinitionError, Refused
from core.web import plan_answers, plan_view
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.admin import frame, place, short
from core.web.plan_answers import Given
from core.web.plan_view import Area
from core.web.request import once
from core.web.response import redirect
from core.web.routing import Route
from core.web.shell import render

if TYPE_CHECKING:
    from core.bm.inputs.questions import Answers
    from core.bm.service import Planned

LONGEST_MESSAGE = 500
NOTHING = Plan("", "", "")
What = Literal["promote", "roll_back"]


@dataclass(frozen=True, slots=True)
class Way:
    """What is planned: the folder's definitions, or an earlier version; and what people said of it so far."""

    what: What
    version: int | None
    given: Given
    message: str = ""
    consent: str = ""

    @property
    def action(self) -> str:
        """Where the consent is sent."""
        return "/admin/promote" if self.version is None else f"/admin/rollback/{self.version}"

    @property
    def page(self) -> str:
        """Where the answers are sent."""
        return "/admin/plan" if self.version is None else self.action


@dataclass(frozen=True, slots=True)
class Look:
    """The plan as it is now, or why there is none; what is wrong with answers, and which nothing asks for."""

    planned: Planned | None
    problems: list[str]
    wrong: Mapping[str, str] = field(default_factory=dict)
    stale: Sequence[str] = ()


def plan(context: Context) -> Response:
    """What promoting the site's folder would change."""
    return _page(context, _way(context.request.args, "promote", None))


def plan_back(context: Context, version: int) -> Response:
    """What going back to a version would change."""
    return _page(context, _way(context.request.args, "roll_back", version))


def promote(context: Context) -> Response:
    """Begin to promote the site's folder, if its plan is still the one that was seen."""
    return _begin(context, _way(context.request.form, "promote", None))


def roll_back(context: Context, version: int) -> Response:
    """Begin to go back to an earlier version, if its plan is still the one that was seen."""
    return _begin(context, _way(context.request.form, "roll_back", version))


def _way(values: Mapping[str, str], what: What, version: int | None) -> Way:
    found = once(values)  # type: ignore[arg-type]
    message = "".join(c for c in found.get("message", "") if c.isprintable()).strip()[:LONGEST_MESSAGE]
    return Way(what, version, plan_answers.read(found), message, found.get("consent", "").strip()[:100])


def _planned(context: Context, way: Way, answers: Answers) -> Planned:
    shown = partial(seen.as_read_by, context.session)
    with service.owner(context.settings) as engine:
        if way.version is None:
            return service.plan_folder(context.settings, engine, answers=answers, shown=shown)
        return service.plan_rollback(context.settings, engine, way.version, answers=answers, shown=shown)


def _beyond(context: Context, way: Way) -> dict[str, str]:
    """The answers that would read more than who gives them may; found without working any of them out."""
    answers = way.given.answers
    plain = {key: answer for key, answer in answers.items() if not answer.startswith("=")}
    if plain == answers:
        return {}
    planned = _planned(context, way, plain)
    if planned.base.version != context.version:
        raise Conflict(N_("Things changed since you saw this plan. Look at the new one."))
    found = seen.beyond(context.session, planned.base, planned.target, answers)
    return {key: context.text('the answer to "{key}" is wrong: {problem}', key=key, problem=context.text.of(problem))
            for key, problem in found.items()}


def _begin(context: Context, way: Way) -> Response:
    """Plan again, compare with what was seen and consented to, and go; the answer is the page of its progress."""
    seen = context.request.form.get("plan", "")
    if not seen:
        raise BadRequest(N_("Look at the plan first."))
    try:
        if _beyond(context, way):
            return _page(context, way, 422)
        planned = _planned(context, way, way.given.answers)
        if planned.plan.empty:
            return _page(context, way, 409)
        if not _equal(planned.plan.hash, seen):
            return _page(context, way, 409,
                         context.text("Things changed since you saw this plan. Look at the new one."))
        letters = plan_view.letters(planned.plan)
        if not _equal(way.consent.casefold(), letters) and letters:
            return _page(context, way, 422, problem=context.text("Type these letters: {letters}", letters=letters))
        return _go(context, way, planned)
    except DefinitionError as error:
        return _page(context, way, 422, str(error).splitlines()[0])
    except (Refused, Conflict) as error:
        return _page(context, way, 409, context.text.of(error.words))


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _go(context: Context, way: Way, planned: Planned) -> Response:
    """Have a `work` process do it, and lead to where it is followed."""
    account = context.account
    with service.owner(context.settings) as engine:
        number = service.begin_promotion(context.settings, engine, planned, way.message,
                                         account.login if account else "", account.id if account else None)
    return redirect(f"/admin/promotions/{number}" if number is not None else "/admin")


def _page(context: Context, way: Way, status: int = 200, refusal: str = "", problem: str = "") -> Response:
    """The plan as it is now; wrong answers are told beside their fields, and the plan is made without them."""
    look = _look(context, way)
    found = look.planned.plan if look.planned is not None else NOTHING
    title = context.text("Plan of a promotion") if way.version is None else \
        context.text("Plan of going back to version {version}", version=way.version)
    return render(
        context, "plan.html", frame(context, title), 422 if look.wrong and status == 200 else status, way=way,
        plan=found, title=title, refusal=refusal, problem=problem, folder=place(context.settings.metadata),
        problems=[short(context, one) for one in look.problems], short=lambda text: short(context, text),
        areas=_areas(context, look.planned) if look.planned is not None else [],
        warnings=plan_view.said(context, found.warnings), notes=plan_view.said(context, found.notes),
        back=plan_view.said(context, found.way_back), stages=plan_view.stages(found.steps, context.text),
        summary=plan_view.summary(found, context.text), open=len(found.questions), wrong=len(look.wrong),
        asked=plan_answers.fields(context, () if found.back else found.asked, way.given, look.wrong),
        kept=_kept(way, look.wrong, look.stale), stale=look.stale, letters=plan_view.letters(found),
        may=context.may(way.what), running=history.under_way(context.connection))


def _look(context: Context, way: Way) -> Look:
    try:
        beyond = _beyond(context, way)
        planned = _planned(context, way, _kept(way, beyond, ()))
        wrong = {**plan_answers.wrong(planned.plan.asked, way.given), **beyond}
        stale = plan_answers.stale(planned.plan.asked, way.given)
        if wrong or stale:
            planned = _planned(context, way, _kept(way, wrong, stale))
    except DefinitionError as error:
        return Look(None, [str(problem) for problem in error.problems])
    except (Refused, Conflict) as error:
        return Look(None, context.text.of(error.words).splitlines())
    beside = _beside(context, planned.plan)
    problems = [one for one in plan_view.said(context, planned.plan.problems) if one not in beside.values()]
    return Look(planned, problems, {**beside, **wrong}, stale)


def _beside(context: Context, found: Plan) -> dict[str, str]:
    """The problems of a plan that are about an answer, by the key of its question."""
    keys = {one.key for one in found.asked}
    return {str(one.params["key"]): context.text.of(one) for one in found.problems if one.params.get("key") in keys}


def _kept(way: Way, wrong: Collection[str], stale: Collection[str]) -> dict[str, str]:
    """The answers that count."""
    return {key: answer for key, answer in way.given.answers.items() if key not in wrong and key not in stale}


def _areas(context: Context, planned: Planned) -> list[Area]:
    places = {name: short(context, place) for name, place in planned.plan.places.items()}
    return plan_view.areas(planned.plan.changes, places, planned.base.model, planned.target.model, context.text,
                           plan_view.marks(planned.plan, context.text))


ROUTES = (
    Route("/admin/plan", ("GET",), plan, "session", "plan", alone=True),
    Route("/admin/promote", ("POST",), promote, "session", "promote", 200_000, alone=True),
    Route("/admin/rollback/<id:version>", ("GET",), plan_back, "session", "plan", alone=True),
    Route("/admin/rollback/<id:version>", ("POST",), roll_back, "session", "roll_back", 200_000, alone=True),
)
