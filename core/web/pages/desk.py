"""The desktop: an icon for each business object, by area."""

from __future__ import annotations

from werkzeug.wrappers import Response

from core.web.context import Context
from core.web.routing import Route
from core.web.shell import Frame, render


def show(context: Context) -> Response:
    """The desktop of the signed-in user."""
    return render(context, "desk.html", Frame(context.text("Desktop"), active="/"))


ROUTES = (Route("/", ("GET",), show, "session", "records"),)
