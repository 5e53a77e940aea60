"""Who looks at the page: the user's own record gives name, language, time zone and theme, once per epoch."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from core.ed.files import FileStore
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.types.base import Locale
from core.web.context import Context, Profile, Viewer
from core.web.i18n import LANGUAGES, negotiate, text_of

_FIELDS = ("name", "language", "time_zone", "theme")


def introduce(context: Context) -> None:
    """Fill in profile, session, records and viewer of a request."""
    account = context.account
    if account is not None:
        context.profile = context.system.cache.get(
            ("profile", account.user_id, context.epoch), lambda: _load(context, account.user_id))
    offered = languages(context)
    language = context.profile.language
    if language not in offered:
        language = negotiate(context.request.headers.get("Accept-Language"), offered)
    locale = Locale(language, zone_or(context.profile.zone, context.system.model.system.time_zone))
    context.text = text_of(language)
    now = datetime.now(UTC)
    if account is not None:
        user = Principals.load(context.connection, context.system, account.user_id, context.epoch, account.scopes)
        context.session = Session.open(context.system, context.connection, user, zone=locale.zone,
                                       language=language, now=now)
        context.session.files = FileStore(context.settings.home / "files")
        context.records = Records(context.session)
    context.viewer = Viewer(locale, context.text, now.astimezone(ZoneInfo(locale.zone)).date(), now,
                            account.user_id if account else None)


def languages(context: Context) -> tuple[str, ...]:
    """The languages the site offers, as far as the pages speak them; its first one is the default."""
    offered = tuple(name for name in context.system.model.system.languages if name in LANGUAGES)
    return offered or ("en",)


@cache
def zones() -> frozenset[str]:
    """All time zones by their IANA names."""
    return frozenset(available_timezones())


def zone_or(wanted: str, otherwise: str) -> str:
    """The wanted time zone if there is one of that name, else the other, else UTC."""
    return next((zone for zone in (wanted, otherwise) if zone in zones()), "UTC")


def _load(context: Context, user_id: int) -> Profile:
    """Read the user's own record as the system does: a role need not grant a person their own settings."""
    fields = [name for name in _FIELDS if name in context.system.model.tables["user"].fields]
    records = Records(Session.system_session(context.system, context.connection))
    found = records.read("user", [user_id], fields)
    if not found:
        return Profile()
    record = found[0]
    return Profile(str(record.get("name") or ""), str(record.get("language") or ""),
                   str(record.get("time_zone") or ""), str(record.get("theme") or "system"))
