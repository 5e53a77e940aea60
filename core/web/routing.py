"""The one table of routes: every way in declares who may come (auth) and who decides what they may do (right)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from core.definition.model import DUTIES

Auth = Literal[
    "none",       # answered without a database: static files, health
    "public",     # anybody: sign-in, the set-up link
    "session",    # a signed-in browser; anything but GET needs the CSRF token and our Origin
    "token",      # Authorization: Bearer, or a signed-in browser with its CSRF token
    "offline",    # a signed-in browser whose requests go on to the offline system, which has tokens of its own
]
Right = Literal[
    "everyone",         # nothing to protect behind it
    "self",             # touches only what belongs to the signed-in account
    "records",          # the record service decides, in SQL
    "administrator",    # role administrator
    "plan", "promote", "roll_back", "purge", "customise",       # `may:` of a role, beside administrators
    "settings",         # each setting names the roles that may change it, beside administrators
]
AUTHS: frozenset[str] = frozenset(("none", "public", "session", "token", "offline"))
RIGHTS: frozenset[str] = frozenset(("everyone", "self", "records", "administrator", "settings", *DUTIES))


@dataclass(frozen=True, slots=True)
class Route:
    """One way in: `endpoint` is called as endpoint(context, **arguments of the rule)."""

    rule: str
    methods: tuple[str, ...]
    endpoint: Callable[..., Response]
    auth: Auth
    right: Right
    body: int = 1_000_000      # the most bytes a request may carry
    alone: bool = False        # runs on no version and in no transaction of ours: promotions wait for both


class IdConverter(BaseConverter):
    """`<id:name>` in a rule: the number of a record, written in one way only."""

    regex = "[1-9][0-9]{0,17}"             # as many digits as are always a bigint
    part_isolating = True

    def to_python(self, value: str) -> int:
        """The number that the digits are."""
        return int(value)


class TableConverter(BaseConverter):
    """`<table:name>` in a rule of the API: any name but those that the API needs for itself."""

    regex = r"(?!(?:files|query|openapi\.json)$)[^/]+"
    part_isolating = True


class RouteTable:
    """All routes, matched by werkzeug; static parts win over placeholders."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._map = Map(
            [Rule(route.rule, methods=route.methods, endpoint=route) for route in self.routes],
            converters={"id": IdConverter, "table": TableConverter}, strict_slashes=True, redirect_defaults=False,
            merge_slashes=False)

    def match(self, request: Request) -> tuple[Route, dict[str, Any]]:
        """Find the route of a request; raises werkzeug's NotFound, MethodNotAllowed, RequestRedirect."""
        adapter: MapAdapter = self._map.bind_to_environ(request.environ)
        return adapter.match()  # type: ignore[return-value]
