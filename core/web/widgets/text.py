"""Text in its forms: a line, a memo, an address to write to, call or open."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, ClassVar
from urllib.parse import quote

from markupsafe import Markup, escape

from core.types.phone import split
from core.web.context import Viewer
from core.web.html import Piece
from core.web.widgets.base import NOTHING, Bound, Control, Editor, Entry, Reader, Record, Widget

ISOLATED = Piece("<bdi>{}</bdi>")
CODE = Piece('<span class="t-code">{}</span>')
MEMO = Piece('<div class="t-memo" dir="auto">{}</div>')
ADDRESS = Piece('<a href="{}" {}>{}</a>')
_PLAIN = re.compile(r"[A-Za-z0-9@+._~-]+")
_NOT_DIALLED = re.compile(r"[^0-9+]")


class TextWidget(Widget):
    """A line of text, isolated so that right-to-left names never disturb what stands beside them."""

    name: ClassVar[str] = "text"

    def read(self, bound: Bound) -> Reader:
        path = bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            if value is None:
                return NOTHING
            return escape(value) if value.isascii() else ISOLATED(value)
        return draw

    def edit(self, bound: Bound) -> Editor:
        most = getattr(bound.field.properties, "max", None)
        limit = Markup(' maxlength="{}"').format(most) if most else NOTHING

        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" {}{} value="{}" autocomplete="off">').format(
                control.attributes(), limit, entry.text)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return str(value)


class SequenceWidget(TextWidget):
    """A number that the system gives; nobody types it."""

    name: ClassVar[str] = "sequence"

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: (
            CODE(record[path]) if record.get(path) else NOTHING)


class MemoWidget(Widget):
    """Several lines; in a list the first of them."""

    name: ClassVar[str] = "memo"
    wide: ClassVar[bool] = True

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: (
            MEMO(record[path]) if record.get(path) else NOTHING)

    def cell(self, bound: Bound) -> Reader:
        path = bound.path

        def draw(record: Record, viewer: Viewer) -> str:
            value = record.get(path)
            return escape(value.strip().split("\n", 1)[0][:120]) if value else NOTHING
        return draw

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            rows = min(12, max(3, entry.text.count("\n") + 2))
            return Markup('<textarea {} rows="{}" dir="auto">\n{}</textarea>').format(
                control.attributes("form-control t-grow"), rows, entry.text)
        return draw

    def typed(self, bound: Bound, value: Any, viewer: Viewer) -> str:
        return str(value).replace("\r\n", "\n")

    def posted(self, bound: Bound, posted: Any, key: str) -> Entry | None:
        found = super().posted(bound, posted, key)
        return Entry((found.text.replace("\r\n", "\n"),)) if found and found.texts else found


class ExpressionWidget(MemoWidget):
    """A formula or condition, shown as code."""

    name: ClassVar[str] = "expression"

    def read(self, bound: Bound) -> Reader:
        path = bound.path
        return lambda record, viewer: (
            CODE(record[path]) if record.get(path) else NOTHING)

    def cell(self, bound: Bound) -> Reader:
        return self.read(bound)

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            rows = min(12, max(2, entry.text.count("\n") + 1))
            return Markup('<textarea {} rows="{}" dir="ltr" spellcheck="false">\n{}</textarea>').format(
                control.attributes("form-control t-grow t-code"), rows, entry.text)
        return draw


class _Linked(TextWidget):
    """Text that leads somewhere outside."""

    mode: ClassVar[str]
    auto: ClassVar[str] = "off"

    @abstractmethod
    def href(self, value: str) -> str:
        """Where it leads."""

    def attributes(self) -> Markup:
        """What else the link needs."""
        return NOTHING

    def read(self, bound: Bound) -> Reader:
        path, href, extra = bound.path, self.href, self.attributes()
        return lambda record, viewer: (
            ADDRESS(href(record[path]), extra, record[path]) if record.get(path) else NOTHING)

    def edit(self, bound: Bound) -> Editor:
        def draw(entry: Entry, control: Control, viewer: Viewer) -> str:
            return Markup('<input type="text" inputmode="{}" {} value="{}" autocomplete="{}">').format(
                self.mode, control.attributes(), entry.text, self.auto)
        return draw


class EmailWidget(_Linked):
    """An e-mail address, one click from a message."""

    name: ClassVar[str] = "email"
    mode: ClassVar[str] = "email"

    def href(self, value: str) -> str:
        return "mailto:" + (value if _PLAIN.fullmatch(value) else quote(value, safe="@+._-"))


class PhoneWidget(_Linked):
    """A phone number, one tap from a call."""

    name: ClassVar[str] = "phone"
    mode: ClassVar[str] = "tel"

    def href(self, value: str) -> str:
        main, extension = split(value)
        return "tel:" + _NOT_DIALLED.sub("", main) + (f";ext={extension}" if extension else "")


class FaxWidget(TextWidget):
    """A fax number: text, for nobody answers there."""

    name: ClassVar[str] = "fax"


class UrlWidget(_Linked):
    """A web address; the type has let only http, https, mailto and tel in."""

    name: ClassVar[str] = "url"
    mode: ClassVar[str] = "url"

    def href(self, value: str) -> str:
        return value if value.lower().startswith(("http://", "https://", "mailto:", "tel:")) else ""

    def attributes(self) -> Markup:
        return Markup('rel="noopener noreferrer nofollow" target="_blank"')
