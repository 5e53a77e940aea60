"""The frame around every page: one Jinja environment for our own templates, never for text of metadata."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from core.ed import setting
from core.web import assets
from core.web.context import Context
from core.web.failures import Failure
from core.web.i18n import LANGUAGES, Text, text_of
from core.web.response import page

_MARK = secrets.token_hex(16)             # nobody can write what looks like a gap
_GAP = re.compile(_MARK + "(csrf|search|back)" + _MARK)
GAPS = {name: _MARK + name + _MARK for name in ("csrf", "search", "back")}


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way to this page."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What the frame shows beside the page's own body."""

    title: str
    crumbs: Sequence[Crumb] = ()
    active: str = ""                       # the object whose menu entry is lit
    search: str = ""                       # what stands in the search box
    actions: Markup = field(default_factory=Markup)
    wide: bool = True


@cache
def environment() -> Environment:
    """The templates of our own pages: autoescaped, undefined names are errors."""
    found = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"),
                        autoescape=select_autoescape(default=True, default_for_string=True),
                        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                        auto_reload=False)           # a release that is being installed is for the next start
    found.globals.update(icon=icon, static=assets.url, vendor=assets.vendor)
    return found


@lru_cache(1000)
def icon(name: str | None, extra: str = "") -> Markup:
    """A drawing from the sprite; it says nothing to screen readers, the text beside it does."""
    known = name if name in assets.icon_names() else "point"
    return Markup('<svg class="icon {}" aria-hidden="true"><use href="{}#tabler-{}"/></svg>').format(
        extra, assets.vendor("icons.svg"), known)


def render(context: Context, template: str, frame: Frame, status: int = 200, **values: object) -> Response:
    """Draw a page inside the frame."""
    from core.web.pages.menu import menu_of
    language = context.viewer.locale.language if context.viewer else context.text.language
    signed_in = context.session is not None
    body = environment().get_template(template).render(
        _=context.text, context=context, frame=frame, text=context.text, nonce=context.nonce,
        language=language, bars=bars(context, frame, language) if signed_in else "",
        bottom=bottom(context, frame) if signed_in else "",
        theme=context.profile.theme, menu=menu_of(context) if signed_in else (), signed_in=signed_in,
        spoken=script_words(context.text.language), languages=LANGUAGES, initials=initials(context.profile.name),
        **values)
    return page(body, status)


def bars(context: Context, frame: Frame, language: str) -> Markup:
    """The bar above, the side bar and the dialogs: drawn once for a user and place, but for what each page differs in.

    That is the user's token against forged forms, what stands in the search box, and where to come back to.
    """
    def draw() -> list[str]:
        html = environment().get_template("bars.html").render(
            _=context.text, context=context, sides=sides(context, frame), language=language,
            theme=context.profile.theme, languages=LANGUAGES, initials=initials(context.profile.name),
            settable=bool(setting.changeable(context.session)), csrf=GAPS["csrf"], search=GAPS["search"],
            back=GAPS["back"])
        return _GAP.split(html)
    login = context.account.login if context.account else ""        # not the session: its token is a gap
    key = ("bars", login, context.session.user.shape, context.epoch, language, context.profile, frame.active)
    parts = context.system.cache.get(key, draw)
    request = context.request
    filled = {"csrf": escape(context.csrf), "search": escape(frame.search),
              "back": escape(request.full_path if request.method == "GET" else "/")}
    return Markup("".join([*_filled(parts, filled)]))  # noqa: S704  # a template escapes by itself, and so do we


def _filled(parts: list[str], filled: Mapping[str, str]) -> Iterator[str]:
    """Text and names of gaps in turn, with the gaps filled."""
    for number, part in enumerate(parts):
        yield filled[part] if number % 2 else part


def bottom(context: Context, frame: Frame) -> Markup:
    """The bar below, on narrow screens."""
    from core.web.pages.menu import menu_of
    return drawn(context, "bottom.html", (frame.active, bool(frame.search)),
                 lambda: {"frame": frame, "menu": menu_of(context)})


def sides(context: Context, frame: Frame) -> Markup:
    """The side bar and the dialogs."""
    from core.web.pages.menu import menu_of
    return drawn(context, "sides.html", frame.active, lambda: {"frame": frame, "menu": menu_of(context)})


def fragment(text: Text, template: str, **values: object) -> Markup:
    """A part of a page, drawn by its template in a language."""
    html = environment().get_template(template).render(_=text, text=text, **values)
    return Markup(html)  # noqa: S704  # a template escapes by itself


def drawn(context: Context, template: str, key: Hashable, values: Callable[[], dict[str, object]]) -> Markup:
    """A part of pages that is the same for all who may do the same, drawn once for each language and key."""
    return context.system.cache.get(
        ("drawn", template, context.session.user.shape, context.viewer.locale.language, key),
        lambda: fragment(context.text, template, **values()))


@cache
def script_words(language: str) -> str:
    """The few sentences that scripts show, translated, as JSON."""
    _ = text_of(language)
    return json.dumps({
        "unsaved": _("You have changes that are not saved. Leave this page?"),
        "remove": _("Remove"),
        "nothing": _("Nothing found"),
        "failed": _("The server could not be reached. Nothing is lost; try again."),
        "expired": _("You were signed out. Sign in again in another tab, then send this once more."),
        "sign_in": _("Sign in"),
    })


def initials(name: str) -> str:
    """Two letters for an avatar: the last two characters of a Chinese name, else the first letters of two words."""
    plain = name.strip()
    if not plain:
        return "?"
    if any("\u3400" <= c <= "\u9fff" for c in plain):
        return plain[-2:]
    words = [word for word in plain.split() if word[0].isalnum()] or [plain]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


def tint(name: str) -> int:
    """One of eight colours for an avatar, always the same for a name."""
    return sum(ord(c) * (i + 1) for i, c in enumerate(name[:40])) % 8


def avatar(name: str, size: str = "") -> Markup:
    """A person's or record's initials in a coloured circle."""
    return Markup('<span class="t-avatar tint-{} {}" aria-hidden="true">{}</span>').format(
        tint(name), size, initials(name))


def failure_page(context: Context, failure: Failure) -> Response:
    """The page about an error: what happened, what to do, and the id to tell the administrator."""
    problems = [(problem.field, context.text(problem.message, **problem.params)) for problem in failure.problems]
    frame = Frame(failure.title(context.text))
    if context.request.htmx:
        words = failure.message(context.text) or "; ".join(message for _, message in problems) or frame.title
        return page(Markup('<div class="t-alert" role="alert">{}</div>').format(escape(words)), failure.status)
    return render(context, "failure.html", frame, failure.status, failure=failure,
                  message=failure.message(context.text), problems=problems)
