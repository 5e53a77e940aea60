"""What a template in HTML may hold, and where in it values may stand: nothing that a browser or mail reader runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from core.definition.names import suggestion
from core.definition.template import Tell, skeleton

ELEMENTS = frozenset("""
    a abbr address article aside b blockquote br caption cite code col colgroup dd del div dl dt em figcaption figure
    footer h1 h2 h3 h4 h5 h6 header hr i img ins li main mark ol p pre q s section small span strong sub sup table
    tbody td tfoot th thead time tr u ul wbr""".split())
EMPTY = frozenset({"br", "col", "hr", "img", "wbr"})
ATTRIBUTES = frozenset("""
    align alt bgcolor border cellpadding cellspacing cite class colspan datetime dir height href id lang rowspan scope
    span src start style title type valign value width""".split())
ADDRESSES = frozenset({"href", "src", "cite"})
SCHEMES = ("https:", "http:", "mailto:", "tel:", "cid:", "#")
DEEPEST = 50             # elements within each other
_TAG_MARK = re.compile(r"[<>\"']")
PLACE, BLOCK = "\ue000", "\ue001"        # what stands for places and blocks in what is looked at


def check(source: str, is_address: Callable[[int], bool], tell: Tell) -> None:
    """Tell what may not stand in a template's HTML; `is_address` says of a place, by its index, if it holds a URL."""
    for index, character in enumerate(source):
        if character in (PLACE, BLOCK):
            tell(index, f"a private character (U+{ord(character):04X}) may not stand here")
            return
    bare = skeleton(source, PLACE, BLOCK)
    if not _is_closed(bare, tell):
        return
    reader = _Reader(bare, is_address, tell)
    try:
        reader.feed(bare)
        reader.close()
        reader.end()
    except _Stop:
        return


class _Stop(Exception):
    """Reading on makes no sense; the problem is told."""


def _is_closed(source: str, tell: Tell) -> bool:
    """Whether every "<" begins something that a ">" ends: the parser behind is slow at anything else."""
    at = source.find("<")
    while at >= 0:
        if source.startswith("<!--", at):
            tell(at, "a comment is written {# #}: one of HTML would be sent along")
            end = source.find("-->", at + 4) + 3
            if end < 3:
                return False
            at = source.find("<", end)
            continue
        behind = _end_of_tag(source, at + 1)
        if behind is None:
            tell(at, 'write &lt; for a "<" that begins no element')
            return False
        at = source.find("<", behind)
    return True


def _end_of_tag(source: str, at: int) -> int | None:
    """The index behind the ">" that ends a tag; None where a "<" or the end of all comes first."""
    while (found := _TAG_MARK.search(source, at)) is not None:
        mark, at = found[0], found.end()
        if mark == ">":
            return at
        if mark == "<":
            return None
        at = source.find(mark, at) + 1
        if not at:
            return None
    return None


class _Reader(HTMLParser):
    """Looks at every element and attribute of the skeleton, whose places are where they are in the source."""

    def __init__(self, source: str, is_address: Callable[[int], bool], tell: Tell) -> None:
        super().__init__(convert_charrefs=False)
        self.source = source
        self.is_address = is_address
        self.tell = tell
        self.starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self.open: list[tuple[str, int]] = []

    @property
    def index(self) -> int:
        """Where the reader stands."""
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element and its attributes."""
        text = self.get_starttag_text() or ""
        if PLACE in tag or tag not in ELEMENTS:
            self._tell_element(tag)
        elif tag not in EMPTY:
            self.open.append((tag, self.index))
            if len(self.open) > DEEPEST:
                self.tell(self.index, f"elements stand in each other at most {DEEPEST} deep")
                raise _Stop
        for name, value in attrs:
            self._attribute(text, name, value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The same for an element that is closed at once."""
        self.handle_starttag(tag, attrs)
        if self.open and self.open[-1][0] == tag:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close an element; what is left open inside it is told."""
        if tag in EMPTY or tag not in ELEMENTS:
            return
        if tag not in [name for name, _ in self.open]:
            self.tell(self.index, f"</{tag}> closes nothing")
            return
        while self.open:
            name, index = self.open.pop()
            if name == tag:
                return
            self.tell(index, f"<{name}> is not closed")

    def handle_data(self, data: str) -> None:
        """Text holds no "<": with what a place or block puts behind it, it could become an element."""
        if "<" in data:
            self.tell(self.index + data.index("<"), 'write &lt; for a "<" that begins no element')

    def handle_comment(self, data: str) -> None:
        """What the parser takes for a comment, such as "</" with no name behind it."""
        if not self.source.startswith("<!--", self.index):      # these are told before
            self.tell(self.index, 'write &lt; for a "<" that begins no element')

    def handle_decl(self, decl: str) -> None:
        """Only the body of a document is a template."""
        self.tell(self.index, f"<!{decl[:20].split()[0] if decl.split() else ''}> is not allowed: a template is what "
                              "stands in the body")

    def handle_pi(self, data: str) -> None:
        """Nothing reads these."""
        self.tell(self.index, "<? is not allowed in a template")

    def unknown_decl(self, data: str) -> None:
        """CDATA and the like."""
        self.tell(self.index, "<![ is not allowed in a template")

    def end(self) -> None:
        """Tell of what is still open."""
        for name, index in self.open:
            self.tell(index, f"<{name}> is not closed")

    def _tell_element(self, tag: str) -> None:
        if PLACE in tag or BLOCK in tag:
            self.tell(self.index, "places and blocks stand between elements, or in the quotes of an attribute")
        else:
            self.tell(self.index, f"<{tag}> is not allowed in a template" + suggestion(tag, ELEMENTS))

    def _attribute(self, text: str, name: str, value: str) -> None:
        at = self.index + max(0, self._find(text, name))
        if PLACE in name or BLOCK in name:
            self.tell(at, "places and blocks stand between elements, or in the quotes of an attribute")
        elif name not in ATTRIBUTES:
            self.tell(at, f'the attribute "{name}" is not allowed in a template' + suggestion(name, ATTRIBUTES))
        elif PLACE in value and name == "style":
            self.tell(at, 'a value cannot stand in "style": choose a class or a style with if')
        elif name in ADDRESSES:
            self._address(at, text, name, value)
        if (PLACE in value or BLOCK in value) and not re.search(rf"{re.escape(name)}\s*=\s*[\"']", text, re.IGNORECASE):
            self.tell(at, f'the value of "{name}" must be in quotes')

    def _find(self, text: str, name: str) -> int:
        found = re.search(rf"[\s\"'/]({re.escape(name)})(?=[\s=>/]|$)", text, re.IGNORECASE)
        return found.start(1) if found else 0

    def _address(self, at: int, text: str, name: str, value: str) -> None:
        """An address says where it leads, or is a place whose value was checked to be a URL."""
        plain = value.strip().lower()
        if BLOCK in plain:
            self.tell(at, f'a block cannot stand in "{name}": it would say where the address leads')
            return
        if not plain.startswith(PLACE):
            if not plain.startswith(SCHEMES):
                self.tell(at, f'"{name}" leads to an address that begins with {", ".join(SCHEMES[:-1])} or #')
            return
        start = self.index + text.find(PLACE, max(0, self._find(text, name)))
        if not self.is_address(start):
            self.tell(at, f'a value at the beginning of "{name}" must be a field of type url: any other could lead '
                          "anywhere")
