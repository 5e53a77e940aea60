"""What a request carries on its way: values bound once, then passed down, never global."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from core.ed import duties
from core.errors import Denied, words
from core.types.base import Locale
from core.web.i18n import N_, Text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.ed.former import Translation
    from core.ed.records import Records
    from core.ed.scopes import Scopes
    from core.ed.session import Session
    from core.ed.system import System
    from core.settings import Settings
    from core.web.limits import Left
    from core.web.request import Request


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in, and through what; `csrf` is empty for a bearer token."""

    id: int
    login: str
    user_id: int
    csrf: str = ""
    session: bytes = b""                     # the hash the session is kept under; empty for a token
    scopes: Scopes | None = None             # of a token; None: no limit beyond the user's own rights


@dataclass(frozen=True, slots=True)
class Profile:
    """What pages need to know of the user's own record."""

    name: str = ""
    language: str = ""
    zone: str = ""
    theme: str = "system"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, as far as drawing is concerned."""

    locale: Locale
    text: Text
    today: date
    now: datetime
    user_id: int | None = None


@dataclass(slots=True)
class Context:
    """One request: `session`, `records`, `system` are there when the route's auth is session or token."""

    request: Request
    request_id: str
    nonce: str
    settings: Settings
    engine: Engine
    systems: Any
    connection: Connection = None  # type: ignore[assignment]   # none for routes without a database
    version: int = 0
    epoch: int = 0
    system: System = None  # type: ignore[assignment]
    account: Account | None = None
    profile: Profile = field(default_factory=Profile)
    session: Session = None  # type: ignore[assignment]
    records: Records = None  # type: ignore[assignment]
    text: Text = field(default_factory=lambda: Text("en", {}))
    viewer: Viewer = None  # type: ignore[assignment]
    demo: bool = False
    csrf: str = ""                # what forms of this page must carry
    set_csrf: bool = False        # a visitor without a session got a new token
    former: Translation | None = None       # where something has a former name: what is sent, in the names of now
    left: Left | None = None      # how much this caller may still send

    @property
    def administrator(self) -> bool:
        """Whether the signed-in user holds base's role administrator."""
        return self.session is not None and self.session.user.all

    def require_administrator(self) -> None:
        """Raise Denied for everybody else."""
        if not self.administrator:
            raise Denied(N_("Only administrators may do this."))

    def may(self, duty: str) -> bool:
        """Whether the signed-in user may do one of the duties: plan, promote, roll_back, purge, customise."""
        return self.session is not None and self.session.may(duty)

    def require(self, duty: str) -> None:
        """Raise Denied, naming the right, for those who may not."""
        if not self.may(duty):
            raise Denied(N_("None of your roles gives the right to {right} (may: {word})."),
                         right=words(duties.TITLES[duty]), word=duty)

    def undo(self) -> None:
        """Take back what this request wrote so far, to go on reading: a refused save is shown again."""
        self.connection.rollback()
