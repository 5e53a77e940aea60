"""The administration page: what is live and since when, a promotion under way, what needs attention, the versions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.bm import service
from core.bm.engine import history
from core.bm.versions.live import Version
from core.ed import setting
from core.web.context import Context
from core.web.promotion_rows import row_of
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.date import moment

if TYPE_CHECKING:
    from core.bm.engine.history import Entry

MOST_VERSIONS = 20
MOST_PROMOTIONS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A version in the list of versions."""

    version: Version
    when: Markup


def show(context: Context) -> Response:
    """What is live, what is under way, the last promotions, the versions that were live, and the ways from here."""
    versions = service.describe_versions(context.connection, MOST_VERSIONS)
    since = history.live_since(context.connection, context.version)
    entries = history.entries(context.connection, None, MOST_PROMOTIONS)
    return render(
        context, "admin.html", frame(context), live=since, hash=next((one.hash for one in versions if one.live), ""),
        since=moment(since.since, context.viewer) if since is not None else "", running=_running(entries),
        versions=[Row(version, moment(version.created_on, context.viewer)) for version in versions],
        rows=[row_of(context, entry) for entry in entries], settable=bool(setting.changeable(context.session)))


def _running(entries: list[Entry]) -> Entry | None:
    """The promotion that has not ended: there is one at a time, and none is newer."""
    return entries[0] if entries and entries[0].ended_on is None else None


def frame(context: Context, title: str = "", *between: Crumb) -> Frame:
    """The frame of a page of the administration."""
    crumbs = [Crumb(context.text("Administration"), "/admin"), *between]
    if title:
        crumbs.append(Crumb(title, context.request.path))
    return Frame(crumbs[-1].title, crumbs, "/admin")


def place(path: Path) -> str:
    """A folder as people know it, without the machine's own folders before it."""
    return "/".join(path.parts[-2:])


def short(context: Context, text: str) -> str:
    """A text that names files of the site, without the machine's own folders before them."""
    return text.replace(f"{context.settings.metadata.parent}/", "")


ROUTES = (
    Route("/admin", ("GET",), show, "session", "plan"),
)
