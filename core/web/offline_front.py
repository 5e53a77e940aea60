"""What stands before the pages of the offline system: its prefix, its banner, and the wait for the newest files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from werkzeug.wrappers import Request, Response

from core.web import offline_prefix
from core.web.application import Application
from core.web.i18n import text_of
from core.web.offline_prefix import PREFIX
from core.web.offline_standing import STANDING, Standing
from core.web.shell import fragment

SIGN = "\u26a0 "                # before the title of every tab
_BODY = re.compile(r"<body\b[^>]*>")
_LANGUAGE = re.compile(r'<html lang="([\w-]+)"')


class Followed(Protocol):
    """A system that follows files, as core/cli/offline.py runs it."""

    standing: Standing
    application: Application | None

    def look(self) -> None:
        """Wait, not for ever, until it is as the files say, or says why it cannot be."""

    def start_over(self) -> None:
        """Be made anew, soon."""


class Front:
    """The WSGI application that the server hands requests to; `/control/` is for the server itself."""

    def __init__(self, system: Followed) -> None:
        self.system = system

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path.startswith("/control/"):
            response = self._control(environ["REQUEST_METHOD"], path)
        elif path.startswith(PREFIX + "/"):
            response = self._page(_inside(environ))
        else:
            response = Response(status=404)
        return response(environ, start_response)

    def _control(self, method: str, path: str) -> Response:
        match method, path:
            case "GET", "/control/standing":
                return _said(self.system.standing, 200)
            case "POST", "/control/fresh":
                self.system.start_over()
                return _said(self.system.standing, 202)
        return Response(status=404)

    def _page(self, environ: dict[str, Any]) -> Response:
        path = environ["PATH_INFO"]
        if not path.startswith("/static/"):
            self.system.look()
        application = self.system.application
        if application is None:
            return _said(self.system.standing, 503)
        response = Response.from_app(application, environ)
        offline_prefix.put_under(response, path, Request(environ).host)
        if response.mimetype == "text/html":
            response.set_data(with_banner(response.get_data(as_text=True), self.system.standing))
        return response


def with_banner(html: str, standing: Standing) -> str:
    """A whole page with the banner above it and a sign in its title; parts of pages stay as they are."""
    body = _BODY.search(html)
    if body is None:
        return html
    language = _LANGUAGE.search(html)
    banner = draw(standing, language[1].replace("-", "_") if language else "en")
    return "".join((html[:body.end()].replace("<title>", f"<title>{SIGN}", 1), banner, html[body.end():]))


def draw(standing: Standing, language: str) -> str:
    """The banner in a language."""
    text = text_of(language)
    problems = [text.of(one) for one in standing.problems]
    return fragment(text, "offline_banner.html", standing=standing, problems=problems, prefix=PREFIX)


def _inside(environ: dict[str, Any]) -> dict[str, Any]:
    """The request as the pages see it: without the prefix, from whoever asked the server."""
    return {**environ, "SCRIPT_NAME": "", "PATH_INFO": environ["PATH_INFO"].removeprefix(PREFIX),
            "REMOTE_ADDR": environ.get("HTTP_X_FORWARDED_FOR", ""),
            "wsgi.url_scheme": environ.get("HTTP_X_FORWARDED_PROTO", "http")}


def _said(standing: Standing, status: int) -> Response:
    return Response(json.dumps(standing.as_json()), status, {STANDING: standing.phase}, content_type="application/json")
