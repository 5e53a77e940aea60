"""The history of promotions, and one of them: how far it is, each step and statement, pause, continue and cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.bm import service
from core.bm.engine import faults, history, journal, lock, wishes
from core.bm.engine.faults import Fault
from core.bm.engine.journal import Progress, Statement, StepProgress
from core.errors import words_from_json
from core.web import plan_view
from core.web.context import Context
from core.web.i18n import N_
from core.web.pages.admin import frame
from core.web.promotion_rows import row_of, standing, way, who
from core.web.request import once, only
from core.web.response import page, redirect
from core.web.routing import Route
from core.web.shell import Crumb, fragment, render
from core.web.widgets.date import moment

PAGE = 30
STEP_STATES = {"waiting": N_("waits"), "running": N_("under way"), "done": N_("done"), "undone": N_("taken back"),
               "failed": N_("failed")}


@dataclass(frozen=True, slots=True)
class Step:
    """A step with how far it is and the statements that it ran."""

    number: int
    target: str
    state: str                      # for the eye
    said: str
    time: str
    done: str                       # of a step under way: "1,000 of 5,000"
    left: str
    share: float | None             # 0 to 1
    note: str
    error: str
    statements: Sequence[Ran]


@dataclass(frozen=True, slots=True)
class Ran:
    """A statement that was run."""

    number: int
    sql: str
    when: Markup
    time: str
    tries: int
    rows: int | None
    undo: bool


def show(context: Context) -> Response:
    """Every promotion and way back, newest first."""
    before = once(context.request.args).get("before", "")
    start = int(before) if before.isascii() and before.isdigit() and len(before) < 18 else None
    found = history.entries(context.connection, start, PAGE + 1)
    rows = [row_of(context, entry) for entry in found[:PAGE]]
    return render(context, "promotions.html", frame(context, context.text("Promotions")), rows=rows,
                  more=found[PAGE - 1].id if len(found) > PAGE else None, first=start is None)


def one(context: Context, number: int) -> Response:
    """One promotion, followed while it runs."""
    progress = journal.progress(context.connection, number)
    title = context.text("Promotion {number}", number=number)
    changes = plan_view.areas(history.changes(context.connection, number), {}, context.system.model,
                               context.system.model, context.text)
    return render(context, "promotion.html",
                  frame(context, title, Crumb(context.text("Promotions"), "/admin/promotions")), title=title,
                  region=_region(context, progress), areas=changes,
                  answers=history.answers(context.connection, number))


def follow(context: Context, number: int) -> Response:
    """The part of the page that changes while a promotion runs."""
    return page(_region(context, journal.progress(context.connection, number)))


def pause(context: Context, number: int) -> Response:
    """Have a promotion wait, between two batches or steps."""
    return _ask(context, number, "pause")


def go_on(context: Context, number: int) -> Response:
    """Have a paused promotion go on."""
    return _ask(context, number, "continue")


def cancel(context: Context, number: int) -> Response:
    """Have a promotion taken back, if its version is not live yet."""
    return _ask(context, number, "cancel")


def _ask(context: Context, number: int, wish: wishes.Wish) -> Response:
    only(once(context.request.form), ("_csrf", "csrf"))
    if not _may(context, journal.progress(context.connection, number)):
        context.require("promote")
    account = context.account
    with service.owner(context.settings) as engine, engine.begin() as connection:
        wishes.ask(connection, number, wish, account.login if account else "", account.id if account else None)
    return redirect(f"/admin/promotions/{number}")


def _region(context: Context, progress: Progress) -> Markup:
    text = context.text
    ran: dict[int, list[Statement]] = {}
    for statement in journal.statements(context.connection, progress.id):
        ran.setdefault(statement.step, []).append(statement)
    state, color = standing(progress.state, progress.paused is not None and not progress.ended)
    steps = [_step(context, step, ran.get(step.number, [])) for step in progress.steps]
    shares = [1.0 if step.state in ("done", "undone") else step.share or 0.0 for step in steps]
    left = [step.seconds_left for step in progress.steps if step.seconds_left is not None]
    seconds = (progress.ended_on or context.viewer.now) - progress.started_on
    fault = faults.last(context.connection, progress.id)
    return fragment(
        text, "promotion_progress.html", context=context, progress=progress, state=text(state), color=color,
        total=len(steps),
        phases=plan_view.phases(((one.kind, step) for one, step in zip(progress.steps, steps, strict=True)), text),
        way=way(context, progress.back, progress.base, progress.target, any(
            one.kind == "mend" for one in progress.steps)),
        by=who(context, progress.by), paused=_paused(context, progress),
        broke=_broke(context, progress, fault) if fault is not None else [],
        begun=moment(progress.started_on, context.viewer), time=plan_view.span(seconds.total_seconds(), text),
        done=sum(step.state == "done" for step in steps), share=sum(shares) / len(shares) if shares else 1.0,
        left=plan_view.span(sum(left), text) if left and sum(left) >= 1 and not progress.ended else "",
        error=text.of(progress.error) if progress.error else "",
        alone=not progress.ended and progress.state != "waiting" and not lock.held(context.connection),
        buttons=_buttons(context, progress, fault is not None and fault.waits))


def _buttons(context: Context, progress: Progress, waits: bool) -> frozenset[str]:
    """What can be asked of it now by whoever looks."""
    found = set()
    if _may(context, progress) and not progress.ended and progress.asked != "cancel":
        found.add("continue" if progress.paused or progress.asked == "pause" or waits else "pause")
        if progress.may_cancel:
            found.add("cancel")
    live = progress.state in ("flipped", "done") and progress.target == context.version
    if live and progress.base not in (None, progress.target) and context.may("roll_back"):
        found.add("roll_back")
    return frozenset(found)


def _may(context: Context, progress: Progress) -> bool:
    """Whether this user may pause it, have it go on, and cancel it: a way back is also of those who may go back."""
    return context.may("promote") or (progress.back and context.may("roll_back"))


def _paused(context: Context, progress: Progress) -> list[str]:
    """Why nothing is done at this moment; nothing while it goes on."""
    why: Mapping[str, Any] = progress.paused or {}
    if why.get("why") == "asked":
        return [context.text("Paused by {name}.", name=why.get("by") or context.text("the command line"))]
    if why.get("why") == "busy":
        return [context.text("A table is busy, so it waits. Who holds it:"),
                *(context.text.of(words_from_json(one)) for one in why.get("blockers", ())),
                context.text("Nothing was changed for users. Continue when they have finished, or cancel it.")]
    if not progress.ended and progress.asked == "pause":
        return [context.text("It will pause after the present batch or step.")]
    if not progress.ended and progress.asked == "cancel":
        return [context.text("It is being cancelled.")]
    return []


def _broke(context: Context, progress: Progress, fault: Fault) -> list[Markup]:
    """What broke it off the last time, and, as long as it has not ended, how it goes on."""
    text = context.text
    at = text("It broke off at step {number}:", number=fault.step) if fault.step is not None else text("It broke off:")
    lines = [Markup("{} {} <code>{}</code>").format(at, text.of(fault.said), fault.place)]
    if progress.ended:
        return lines
    tried = text.plural("It was tried {count} time.", "It was tried {count} times.", fault.tries)
    if not fault.waits:
        return [*lines, Markup("{} {}").format(tried, text("It is tried again now."))]
    return [*lines, Markup("{} {} {}").format(tried, text("The next try, if nobody lets it continue before:"),
                                              moment(fault.next_on, context.viewer))]


def _step(context: Context, step: StepProgress, ran: Sequence[Statement]) -> Step:
    text = context.text
    share = min(step.done / step.total, 1.0) if step.total and step.state == "running" else None
    done = ""
    if step.done or share is not None:
        done = text("{done} of {total}", done=f"{step.done:,}", total=f"{step.total or step.done:,}")
    return Step(
        step.number, plan_view.about(step.target, text), step.state, text(STEP_STATES.get(step.state, step.state)),
        plan_view.span(step.seconds, text) if step.seconds else "", done,
        plan_view.span(step.seconds_left, text) if step.state == "running" and step.seconds_left else "", share,
        text.of(step.note), text.of(step.error or ""),
        [Ran(one.number, one.sql, moment(one.started_on, context.viewer), plan_view.span(one.seconds, text), one.tries,
             one.rows, one.undo) for one in ran])


ROUTES = (
    Route("/admin/promotions", ("GET",), show, "session", "plan"),
    Route("/admin/promotions/<id:number>", ("GET",), one, "session", "plan"),
    Route("/admin/promotions/<id:number>/progress", ("GET",), follow, "session", "plan"),
    Route("/admin/promotions/<id:number>/pause", ("POST",), pause, "session", "plan", 2_000),
    Route("/admin/promotions/<id:number>/continue", ("POST",), go_on, "session", "plan", 2_000),
    Route("/admin/promotions/<id:number>/cancel", ("POST",), cancel, "session", "plan", 2_000),
)
