"""Change an XML file by the path of an element or attribute, and leave every other character of it as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from core.definition.document import Document
from core.definition.values import BodyPath, dotted
from core.errors import Refused

_ATTRIBUTE = re.compile(r"""(\s+)([^\s=<>"'/]+)\s*=\s*("[^"]*"|'[^']*')""")
_LISTS = ("layout", "changes", "children")


@dataclass(eq=False)
class _Element:
    """An element: where it begins and ends, where its first tag ends, and where each attribute's parts stand."""

    start: int
    opened: int = 0                 # after the > of its first tag
    stop: int = 0                   # after the whole element
    empty: bool = False             # written as <a/>
    attributes: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)  # space, name, value, end
    children: list[_Element] = field(default_factory=list)


class XmlText(Document):
    """The text of an XML file, changed by paths of the definition's body."""

    def _read(self) -> None:
        data = self.text.encode()
        parser = expat.ParserCreate("utf-8")
        stack: list[_Element] = []
        roots: list[_Element] = []

        def here() -> int:
            return len(data[:parser.CurrentByteIndex].decode())

        def begin(tag: str, _: Mapping[str, str]) -> None:
            element = self._opened(here(), tag)
            (stack[-1].children if stack else roots).append(element)
            stack.append(element)

        def end(_: str) -> None:
            element = stack.pop()
            element.stop = element.opened if element.empty else self.text.index(">", here()) + 1

        parser.StartElementHandler, parser.EndElementHandler = begin, end
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise Refused("{file} cannot be changed: {reason}", file=self.file, reason=str(error)) from None
        self._root = roots[0]

    def _opened(self, start: int, tag: str) -> _Element:
        element, position = _Element(start), start + 1 + len(tag)
        while match := _ATTRIBUTE.match(self.text, position):
            element.attributes[match[2]] = (match.start(1), match.start(2), match.start(3), match.end())
            position = match.end()
        element.opened = self.text.index(">", position) + 1
        element.empty = self.text[element.opened - 2] == "/"
        return element

    @property
    def bare(self) -> bool:
        """True if the file says nothing but its kind and name."""
        return not self._root.children and len(self._root.attributes) <= 1

    def idle(self, path: BodyPath) -> bool:
        """True for an element that only aims at something: it has no children, and no attribute but `ref`."""
        element, _ = self._must(path)
        return not element.children and element.attributes.keys() <= {"ref"}

    def has(self, path: BodyPath) -> bool:
        """True if something stands at the path."""
        element, name = self._find(path)
        return element is not None and (name is None or name in element.attributes)

    def span(self, path: BodyPath) -> tuple[int, int]:
        """Where an attribute's value (with its quotes) or an element stands. Raises Refused if none does."""
        element, name = self._must(path)
        return (element.start, element.stop) if name is None else element.attributes[name][2:]

    def set(self, path: BodyPath, value: object) -> None:
        """Put a text at an attribute's path, or elements (as the body says them) at an element's. Raises Refused."""
        element, name = self._find(path)
        if element is None:
            raise Refused("{file} has no {path} any more", file=self.file, path=dotted(path))
        if name is None:
            if not isinstance(value, Mapping):
                raise Refused("{file}: an element is expected at {path}", file=self.file, path=dotted(path))
            self.replace(element.start, element.stop, element_text(value, self._indent(element.start)))
        elif name in element.attributes:
            _, _, start, end = element.attributes[name]
            self.replace(start, end, attribute_text(_said(value), self.text[start]))
        else:
            place = max((end for _, _, _, end in element.attributes.values()), default=self._tag_end(element))
            self.replace(place, place, f" {name}={attribute_text(_said(value))}")

    def rename(self, path: BodyPath, new: str) -> None:
        """Give the attribute at a path another name. Raises Refused if none stands there."""
        element, name = self._must(path)
        if name is None:
            raise Refused("{file}: only attributes are renamed", file=self.file)
        start = element.attributes[name][1]
        self.replace(start, start + len(name), new)

    def remove(self, path: BodyPath) -> None:
        """Take an attribute or an element away, with its line if it stands alone there. Raises Refused."""
        element, name = self._must(path)
        if name is not None:
            self.replace(element.attributes[name][0], element.attributes[name][3], "")
        elif element is self._root:
            raise Refused("{file} would be empty: remove the file", file=self.file)
        else:
            self.replace(*self._lines(element.start, element.stop), "")

    def insert(self, path: BodyPath, elements: Sequence[Mapping[str, object]]) -> None:
        """Put elements (as the body says them) before the element at a path, or at the end of its parent."""
        found, name = self._find(path)
        if found is not None and name is None:
            indent = self._indent(found.start)
            self.replace(found.start, found.start,
                         "".join(element_text(one, indent) + "\n" + indent for one in elements))
            return
        parent, _ = self._must(path[:-2])
        indent = self._indent(parent.start) + "  "
        new = "".join(f"\n{indent}{element_text(one, indent)}" for one in elements)
        if parent.empty:
            tag = re.match(r"<([^\s/>]+)", self.text[parent.start:])
            close = self._tag_end(parent)
            self.replace(close, parent.stop, f">{new}\n{indent[:-2]}</{tag[1] if tag else ''}>")
            return
        last = parent.children[-1].stop if parent.children else parent.opened
        self.replace(last, last, new)

    def _tag_end(self, element: _Element) -> int:
        """Where the first tag's name and attributes end."""
        head = self.text[element.start:element.opened].removesuffix(">").removesuffix("/")
        return element.start + len(head.rstrip())

    def _indent(self, index: int) -> str:
        line = self.text[self.text.rfind("\n", 0, index) + 1:index]
        return line if not line.strip() else line[:len(line) - len(line.lstrip())]

    def _lines(self, start: int, stop: int) -> tuple[int, int]:
        """The whole lines of an element if nothing else stands on them."""
        begin = self.text.rfind("\n", 0, start) + 1
        end = self.text.find("\n", stop)
        end = len(self.text) if end < 0 else end
        if self.text[begin:start].strip() or self.text[stop:end].strip():
            return start, stop
        return begin, min(end + 1, len(self.text))

    def _find(self, path: BodyPath) -> tuple[_Element | None, str | None]:
        """The element that a path of the body leads to, and the name of an attribute if it leads to one."""
        element, parts = self._root, list(path)
        while parts and parts[0] in _LISTS and len(parts) > 1:
            index = int(parts[1])
            if index >= len(element.children):
                return None, None
            element, parts = element.children[index], parts[2:]
        if parts[:1] == ["attributes"]:
            parts = parts[1:]
        return element, str(parts[0]) if parts else None

    def _must(self, path: BodyPath) -> tuple[_Element, str | None]:
        element, name = self._find(path)
        if element is None or (name is not None and name not in element.attributes):
            raise Refused("{file} has no {path} any more", file=self.file, path=dotted(path))
        return element, name


def element_text(raw: Mapping[str, object], indent: str = "") -> str:
    """An element of a body (`tag`, `attributes`, `children`) as XML; lines below the first have the indent."""
    attributes, children = raw.get("attributes"), raw.get("children")
    head = f"<{raw['tag']}" + "".join(f" {name}={attribute_text(_said(value))}" for name, value in (
        attributes.items() if isinstance(attributes, Mapping) else ()))
    if not isinstance(children, list) or not children:
        return head + "/>"
    inner = "".join(f"\n{indent}  {element_text(child, indent + '  ')}" for child in children)
    return f"{head}>{inner}\n{indent}</{raw['tag']}>"


def attribute_text(text: str, quote: str = '"') -> str:
    """A text as an attribute's value, in quotes."""
    return quote + escape(text, {quote: "&quot;" if quote == '"' else "&apos;", "\n": "&#10;", "\t": "&#9;"}) + quote


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
