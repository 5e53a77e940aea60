"""The administration page: what is live and since when, a promotion under way, what differs, the versions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from werkzeug.wrappers import Response

from core.bm import service
from core.bm.live import Version
from core.web.context import Context
from core.web.routing import Route
from core.web.shell import Crumb, Frame, render
from core.web.widgets.date import moment


@dataclass(frozen=True, slots=True)
class Row:
    """A version in the list of versions."""

    version: Version
    when: Markup


def show(context: Context) -> Response:
    """The versions that were live, newest first, and the way to the plan."""
    versions = service.describe_versions(context.connection)
    rows = [Row(version, moment(version.created_on, context.viewer)) for version in versions]
    return render(context, "admin.html", frame(context), rows=rows, done=context.request.args.get("done", ""))


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
