"""Rich text: what people write with headings, lists and links; cleaned before it is kept."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from html.parser import HTMLParser
from typing import Any, ClassVar

from pydantic import Field

from core.types.base import BadValue, FieldType, Locale, Part, Properties, Type
from core.types.characters import LONGEST, clean

TAGS = frozenset("p br hr b strong i em u s del ins sub sup small mark code pre blockquote ul ol li h2 h3 h4 a table "
                 "thead tbody tr th td".split())
ATTRIBUTES = {"a": {"href", "title"}, "th": {"colspan", "rowspan"}, "td": {"colspan", "rowspan"},
              "ol": {"start"}}
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
# What stands on lines of its own in plain text; between two of these an empty line says nothing.
_BLOCKS = frozenset("p br hr pre blockquote ul ol li h2 h3 h4 table tr".split())
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPACE = re.compile(r"[^\S\n\u00a0]+")


class RichText(str):
    """The plain text of a rich text, which is what formulas, lists and searches see; its markup is beside it."""

    __slots__ = ("html",)
    html: str

    def __new__(cls, text: str, html: str) -> RichText:
        made = super().__new__(cls, text)
        made.html = html
        return made

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str) or not str.__eq__(self, other):
            return False
        return not isinstance(other, RichText) or self.html == other.html

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


class HtmlProperties(Properties):
    """The properties of a rich text."""

    max: int = Field(LONGEST, ge=1, le=LONGEST, description="The most characters it may have, with its markup.")


class HtmlType(FieldType[HtmlProperties]):
    """A text with headings, lists, tables and links; everything else that HTML can do is taken out."""

    name: ClassVar[str] = "html"
    properties: ClassVar = HtmlProperties
    sortable: ClassVar[bool] = False
    is_long: ClassVar[bool] = True
    searchable: ClassVar[bool] = True

    def expression_type(self, p: HtmlProperties) -> Type:
        return Type("text")

    def parts(self, p: HtmlProperties) -> tuple[Part, ...]:
        return (Part("", "text"), Part("html", "text"))

    def validate(self, value: Any, p: HtmlProperties) -> RichText | None:
        source = clean(value.html if isinstance(value, RichText) else value, LONGEST, lines=True)
        if source is None:
            return None
        html = cleaned(source).strip()
        if "<" not in html:
            html = f"<p>{html}</p>"
        if len(html) > p.max:
            raise BadValue("too_long", "This may have {most} characters and has {length}.", most=p.max,
                           length=len(html))
        text = plain_text(html)
        return RichText(text, html) if text else None

    def parse(self, text: str, p: HtmlProperties, locale: Locale) -> RichText | None:
        """Read markup, or text without any: there a line is a line."""
        return self.validate(text if _TAG.search(text) else from_plain(text), p)

    def to_wire(self, value: str | None, p: HtmlProperties) -> str | None:
        return None if value is None else markup(value)

    def to_columns(self, value: RichText | None, p: HtmlProperties) -> tuple[Any, ...]:
        return (None, None) if value is None else (str(value), value.html)

    def from_columns(self, values: tuple[Any, ...], p: HtmlProperties) -> str | None:
        text, html = values
        return text if text is None or html is None else RichText(text, html)

    def format(self, value: str | None, p: HtmlProperties, locale: Locale) -> str:
        return "" if value is None else str(value)

    def plain(self, value: str | None, p: HtmlProperties) -> str | None:
        return self.to_wire(value, p)


def cleaned(source: str) -> str:
    """HTML with nothing in it but the tags and addresses that are allowed; doing it again changes nothing."""
    html: str = _cleaner().clean(source)
    return html


def markup(value: str) -> str:
    """The markup of a rich text; of a text that was worked out, its lines as paragraphs."""
    return value.html if isinstance(value, RichText) else from_plain(value)


def from_plain(text: str) -> str:
    """Text as markup: empty lines between paragraphs, other line ends as they stand."""
    paragraphs = re.split(r"\n\s*\n", text.strip().replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(f"<p>{escape(one, quote=False).replace(chr(10), '<br>')}</p>" for one in paragraphs if one.strip())


def plain_text(html: str) -> str:
    """The text of cleaned markup, a line for each paragraph, heading, row and item."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = _SPACE.sub(" ", "".join(reader.pieces)).split("\n")
    return "\n".join(line for one in lines if (line := one.strip()))


@cache
def _cleaner() -> Any:
    import nh3  # 10 ms to import: only where there is rich text

    return nh3.Cleaner(tags=set(TAGS), attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
                       url_schemes=set(SCHEMES), link_rel="noopener noreferrer nofollow",
                       set_tag_attribute_values={"a": {"target": "_blank"}})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._edge(tag)

    def handle_endtag(self, tag: str) -> None:
        self._edge(tag)

    def handle_data(self, data: str) -> None:
        self.pieces.append(data.replace("\n", " "))

    def _edge(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
