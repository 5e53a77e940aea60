"""Promotions as lists show them."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from core.bm.engine.history import Entry
from core.bm.parked_purge import DAILY
from core.web import plan_view
from core.web.context import Context
from core.web.i18n import N_
from core.web.widgets.date import moment

STATES = {"waiting": (N_("Waiting for its turn"), "c-gray"), "running": (N_("Under way"), "c-blue"),
          "preparing": (N_("Under way"), "c-blue"), "flipped": (N_("Live, being finished"), "c-teal"),
          "undoing": (N_("Being taken back"), "c-orange"), "done": (N_("Done"), "c-green"),
          "failed": (N_("Failed"), "c-red"), "cancelled": (N_("Cancelled"), "c-gray"),
          "abandoned": (N_("Broken off"), "c-red")}


PAUSED = (N_("Paused"), "c-orange")


@dataclass(frozen=True, slots=True)
class Row:
    """A promotion in the history."""

    entry: Entry
    state: str
    color: str
    what: str
    by: str
    error: str
    fault: str
    when: Markup
    time: str


def row_of(context: Context, entry: Entry) -> Row:
    """A promotion as lists show it."""
    state, color = standing(entry.state, entry.paused)
    return Row(entry, context.text(state), color, way(context, entry.back, entry.base, entry.target, entry.mends),
               who(context, entry.by), context.text.of(entry.error or "").split("\n")[0],
               context.text.of(entry.fault or ""), moment(entry.started_on, context.viewer),
               plan_view.span(entry.seconds, context.text))


def standing(state: str, paused: bool) -> tuple[str, str]:
    """What people call the state of a promotion, and its colour."""
    return PAUSED if paused else STATES.get(state, (state, "c-plain"))


def who(context: Context, by: str) -> str:
    """Who wanted it: a login, or what did it by itself."""
    return context.text("the command line") if not by else context.text(DAILY) if by == DAILY else by


def way(context: Context, back: bool, base: int | None, target: int, mends: bool) -> str:
    """From which version to which; or what is done beside the one that stays."""
    if base is None:
        return context.text("The first version, {target}", target=target)
    if base == target:
        return context.text("What drifted is mended") if mends else context.text("What was parked is removed for good")
    return context.text("Back from version {base} to {target}" if back else "From version {base} to {target}",
                        base=base, target=target)
