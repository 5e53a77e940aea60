"""Change a YAML file by the path of a property, and write values as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from core.definition.document import Document
from core.definition.values import BodyPath, dotted
from core.errors import Refused

WIDTH = 120
_PLAIN = re.compile(r"[^\W\d][\w .()/+<>=*-]*")
_CONSTANTS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


class YamlText(Document):
    """The text of a YAML file.

    Comments, blank lines, quotes and the order of keys stay. Removing a property takes its line with the comment at
    its end; comments on lines of their own stay.
    """

    def _read(self) -> None:
        try:
            self._root = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise Refused("{file} cannot be changed: {reason}", file=self.file, reason=str(error)) from None

    @property
    def bare(self) -> bool:
        """True if the file says nothing but its kind and name."""
        return self._size(()) <= 1

    def has(self, path: BodyPath) -> bool:
        """True if something stands at the path."""
        return self._find(path) is not None

    def span(self, path: BodyPath) -> tuple[int, int]:
        """Where the value at a path stands in the text, quotes included. Raises Refused if nothing does."""
        node = self._must(path)
        return _start(node), self._end(node)

    def key_span(self, path: BodyPath) -> tuple[int, int]:
        """Where the name of the member at a path stands, quotes included. Raises Refused if nothing does."""
        key = self._pair(path)[0]
        return _start(key), _stop(key)

    def set(self, path: BodyPath, value: object) -> None:
        """Put a value at a path, in place of what is there or as a new property. Raises Refused."""
        node = self._find(path)
        if node is None:
            self._insert(path, value)
            return
        start, end = _start(node), self._end(node)
        if isinstance(node, yaml.ScalarNode) and node.style in ("'", '"') and isinstance(value, str):
            self.replace(start, end, quoted(value, node.style))
            return
        gap = ""
        if isinstance(path[-1], str) and not _in_flow(node):
            colon = self.text.index(":", _stop(self._pair(path)[0])) + 1
            if start == end or "\n" in self.text[colon:start]:      # no value yet, or one on the lines below
                start, gap = colon, " "
        self.replace(start, end, gap + emit(value))

    def rename(self, path: BodyPath, new: str) -> None:
        """Give the member at a path another name. Raises Refused if nothing stands there."""
        start, end = self.key_span(path)
        self.replace(start, end, emit(new))

    def remove(self, path: BodyPath) -> None:
        """Take away what stands at a path, and what becomes empty by it. Raises Refused if nothing does."""
        self._must(path)
        while len(path) > 1 and self._size(path[:-1]) == 1:
            path = path[:-1]
        parent = self._find(path[:-1])
        if self._size(path[:-1]) == 1 or not isinstance(parent, yaml.CollectionNode):
            raise Refused("{file} would be empty: remove the file", file=self.file)
        if isinstance(parent, yaml.MappingNode):
            index = next(i for i, (key, _) in enumerate(parent.value) if key.value == path[-1])
            begins = [_start(key) for key, _ in parent.value]
            ends = [self._end(value) for _, value in parent.value]
        else:
            index = int(path[-1])
            begins, ends = [_start(item) for item in parent.value], [self._end(item) for item in parent.value]
        if parent.flow_style:
            self._cut(begins, ends, index)
        else:
            self._cut_lines(parent, begins, ends, index)

    def _cut(self, begins: list[int], ends: list[int], index: int) -> None:
        """Take an entry out of `{ }` or `[ ]`, with one comma."""
        if index + 1 < len(begins):
            self.replace(begins[index], begins[index + 1], "")
        else:
            self.replace(ends[index - 1], ends[index], "")

    def _cut_lines(self, parent: yaml.CollectionNode, begins: list[int], ends: list[int], index: int) -> None:
        """Take the lines of an entry out of a block."""
        start = self.text.rfind("\n", 0, begins[index]) + 1
        gap = self.text[start:begins[index]]
        alone = not gap.strip() or (isinstance(parent, yaml.SequenceNode) and gap.strip() == "-")
        if not alone:                   # the first key of a list's item: the next one takes its place
            self.replace(begins[index], begins[index + 1], "")
            return
        self.replace(start, self._line_end(ends[index]), "")

    def _line_end(self, index: int) -> int:
        """Where the next line begins."""
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def _insert(self, path: BodyPath, value: object) -> None:
        """Add a property, and the mappings around it that are missing."""
        around = path[:-1]
        parent = self._find(around)
        while parent is None or (isinstance(parent, yaml.ScalarNode) and not parent.value):
            if not around:
                raise Refused("{file} is empty: write its first line by hand", file=self.file)
            value, path, around = {path[-1]: value}, around, around[:-1]
            if parent is not None:
                self.set(path, value)
                return
            parent = self._find(around)
        if isinstance(parent, yaml.SequenceNode) and path[-1] == len(parent.value):
            self._append(parent, emit(value), "- " + emit(value))
        elif isinstance(parent, yaml.MappingNode) and isinstance(path[-1], str):
            self._append(parent, f"{emit(path[-1])}: {emit(value)}", self._entry(parent, path[-1], value))
        else:
            raise Refused("{file}: {path} cannot be set there", file=self.file, path=dotted(path))

    def _entry(self, parent: yaml.MappingNode, key: str, value: object) -> str:
        """An entry of a block: on one line if it fits, else its members below each other."""
        indent = _column(parent.value[0][0]) if parent.value else 0
        line = f"{emit(key)}: {emit(value)}"
        if not isinstance(value, Mapping) or not value or (len(line) + indent <= WIDTH and not _deep(value)):
            return line
        inner = " " * (indent + 2)
        return f"{emit(key)}:" + "".join(f"\n{inner}{emit(name)}: {emit(one)}" for name, one in value.items())

    def _append(self, parent: yaml.CollectionNode, flow: str, block: str) -> None:
        if parent.flow_style or not parent.value:
            end = _stop(parent) - 1
            last = self._last(parent)
            self.replace(end if last is None else last, end if last is None else last,
                         flow if last is None else ", " + flow)
            return
        last = self._last(parent)
        first = parent.value[0][0] if isinstance(parent, yaml.MappingNode) else parent.value[0]
        indent = " " * _column(parent if isinstance(parent, yaml.SequenceNode) else first)
        place = self._line_end(last if last is not None else _stop(first))
        line = "" if self.text[:place].endswith("\n") else "\n"
        self.replace(place, place, f"{line}{indent}{block}\n")

    def _last(self, parent: yaml.CollectionNode) -> int | None:
        if not parent.value:
            return None
        last = parent.value[-1]
        return self._end(last[1] if isinstance(parent, yaml.MappingNode) else last)

    def _size(self, path: BodyPath) -> int:
        """How many entries stand at a path; the line that says the kind is none."""
        node = self._must(path)
        return len(node.value) if isinstance(node, yaml.CollectionNode) else 0

    def _end(self, node: yaml.Node) -> int:
        """Where a node really ends: the parser counts the comments below a block to it."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, yaml.MappingNode) else last)
        start, end = _start(node), _stop(node)
        return start + len(self.text[start:end].rstrip()) if end > start else end

    def _find(self, path: BodyPath) -> yaml.Node | None:
        node: yaml.Node | None = self._root
        for part in path:
            if isinstance(node, yaml.MappingNode):
                node = next((value for key, value in node.value if key.value == part), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
            else:
                return None
        return node

    def _must(self, path: BodyPath) -> yaml.Node:
        node = self._find(path)
        if node is None:
            raise Refused("{file} has no {path} any more", file=self.file, path=dotted(path))
        return node

    def _pair(self, path: BodyPath) -> tuple[yaml.Node, yaml.Node]:
        parent = self._find(path[:-1])
        if isinstance(parent, yaml.MappingNode):
            for key, value in parent.value:
                if key.value == path[-1]:
                    return key, value
        raise Refused("{file} has no {path} any more", file=self.file, path=dotted(path))


def _start(node: yaml.Node) -> int:
    return int(node.start_mark.index)


def _stop(node: yaml.Node) -> int:
    return int(node.end_mark.index)


def _column(node: yaml.Node) -> int:
    return int(node.start_mark.column)


def _in_flow(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _deep(value: Mapping[str, object]) -> bool:
    """True for a mapping whose members are mappings of mappings: nobody reads that on one line."""
    return any(isinstance(one, Mapping) and any(isinstance(inner, Mapping) for inner in one.values())
               for one in value.values())


def emit(value: object) -> str:
    """A value as YAML on one line, read back as the same value."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{emit(str(key))}: {emit(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(emit(one) for one in value) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text == text.strip() and text.lower() not in _CONSTANTS
    return text if plain else quoted(text)


def quoted(text: str, style: str = '"') -> str:
    """A text in quotes, those given if they can hold it as it is."""
    if any(not character.isprintable() for character in text):
        return yaml.dump(text, default_style='"', allow_unicode=True, width=float("inf")).strip()
    if style == '"' and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"
