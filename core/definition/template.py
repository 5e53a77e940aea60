"""The text of a template taken apart: places, conditions and loops, whose expressions are the one language of all.

`{{ expression }}` is a place, `{% if condition %} {% elif condition %} {% else %} {% endif %}` chooses,
`{% for line in lines if condition %} {% else %} {% endfor %}` repeats, `{# #}` says nothing. There is nothing else: no
engine stands behind it that a text could turn against us, and no name but those that an expression knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.definition.names import suggestion
from core.definition.scope import Written
from core.types.base import Type

if TYPE_CHECKING:
    from core.definition.scope import ModelScope

LONGEST = 200_000
MOST_PARTS = 2_000
DEEPEST = 20
MOST_LOOPS = 3           # within each other
_TAG = re.compile(r"\{\{(?P<place>.*?)\}\}|\{%(?P<block>.*?)%\}|\{#(?P<comment>.*?)#\}|(?P<open>\{\{|\{%|\{#)",
                  re.DOTALL)
_FOR = re.compile(r"(?P<name>\w+)\s+in\s+(?P<path>\w+(?:\.\w+)*)(?:\s+if\s+(?P<where>.*))?", re.DOTALL)
_CLOSES = {"{{": "}}", "{%": "%}", "{#": "#}"}
_FOREIGN = frozenset({"set", "macro", "call", "include", "import", "from", "extends", "block", "filter", "raw", "with",
                      "autoescape", "do", "trans"})


@dataclass(frozen=True)
class Piece:
    """A part of the source that holds an expression or a path, and where it begins in it."""

    source: str
    index: int


@dataclass(frozen=True)
class Literal:
    """Text that stays as it is."""

    text: str


@dataclass(frozen=True)
class Shown:
    """A place for a value."""

    piece: Piece
    written: Written | None = None


@dataclass(frozen=True)
class Branch:
    """What stands there if a condition holds; without one, in all other cases."""

    piece: Piece | None
    body: tuple[Node, ...]
    written: Written | None = None


@dataclass(frozen=True)
class Choice:
    """The first of its branches that fits."""

    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Loop:
    """Its body for each record at the end of a path, and something else where there is none."""

    name: str
    path: Piece
    where: Piece | None
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...] = ()
    written: Written | None = None
    around: ModelScope | None = None         # the names that its path is looked up among


Node = Literal | Shown | Choice | Loop
Tell = Callable[[int, str], None]


def _say_nothing(index: int, message: str) -> None:
    """A text of a stored version was checked before."""


@dataclass
class _Open:
    """A block that is not closed yet."""

    word: str
    index: int
    loop: tuple[str, Piece, Piece | None] | None = None
    branches: list[Branch] = field(default_factory=list)
    condition: Piece | None = None
    done: list[Node] | None = None       # of a loop, once its else began
    nodes: list[Node] = field(default_factory=list)
    last: bool = False                   # its else began


def parse(source: str, tell: Tell) -> tuple[Node, ...]:
    """The nodes of a text; what is wrong is told with its index, and left out."""
    if len(source) > LONGEST:
        tell(0, f"a template has at most {LONGEST} characters")
        return ()
    try:
        return _Reader(source, tell).read()
    except _Stop:
        return ()


class _Stop(Exception):
    """Reading on makes no sense; the problem is told."""


def bound(source: str, scope: ModelScope, tell: Tell = _say_nothing) -> tuple[Node, ...]:
    """The nodes of a text with their expressions, which are typed on first use; loops add their names to the scope."""
    return _bound(parse(source, tell), scope, tell)


def _bound(nodes: tuple[Node, ...], scope: ModelScope, tell: Tell) -> tuple[Node, ...]:
    return tuple(found for node in nodes if (found := _bind(node, scope, tell)) is not None)


def _bind(node: Node, scope: ModelScope, tell: Tell) -> Node | None:
    if isinstance(node, Shown):
        return replace(node, written=Written(node.piece.source, scope))
    if isinstance(node, Choice):
        return Choice(tuple(replace(
            one, body=_bound(one.body, scope, tell),
            written=Written(one.piece.source, scope, "boolean") if one.piece else None) for one in node.branches))
    if isinstance(node, Loop):
        table = _rows(node, scope, tell)
        if table is None:
            return None
        inner = replace(scope, given={**scope.given, node.name: Type("link", table)})
        where = Written(node.where.source, inner, "boolean") if node.where else None
        return replace(node, body=_bound(node.body, inner, tell), otherwise=_bound(node.otherwise, scope, tell),
                       written=where, around=scope)
    return node


def _rows(node: Loop, scope: ModelScope, tell: Tell) -> str | None:
    """The table of the records that a loop goes over; None, with a problem told."""
    if scope.variable(node.name) is not None or node.name in ("record", "parameter", "setting") or (
            scope.table and scope.member(scope.table, node.name) is not None):
        tell(node.path.index, f'a loop cannot be called "{node.name}": that is a name already')
        return None
    head, *rest = node.path.source.split(".")
    kind = scope.variable(head)
    if head == "record" and scope.table:
        kind = Type("link", scope.table)
    elif kind is None:
        kind, rest = Type("link", scope.table), [head, *rest]
    for name in rest:
        found = scope.member(kind.of, name) if kind.of and kind.name == "link" and not kind.many else None
        if found is None:
            known = scope.members(kind.of) if kind.of else ()
            tell(node.path.index, f'"{name}" is not on table "{kind.of}"' + suggestion(name, known) if kind.of
                 else f'"{name}" is not known here')
            return None
        kind = found
    if kind.of is None or not (kind.name == "set" or (kind.name == "link" and kind.many)):
        tell(node.path.index, f'"{node.path.source}" has no records to go over: lines or a plural link are expected')
        return None
    return kind.of


def walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes, outermost first."""
    for node in nodes:
        yield node
        if isinstance(node, Choice):
            for branch in node.branches:
                yield from walk(branch.body)
        elif isinstance(node, Loop):
            yield from walk(node.body)
            yield from walk(node.otherwise)


def skeleton(source: str, place: str, block: str) -> str:
    """The source with every place and every block blotted out by a character; all else stays where it is."""
    def blot(match: re.Match[str]) -> str:
        by = place if match["place"] is not None else block
        return "".join("\n" if character == "\n" else by for character in match[0])
    return _TAG.sub(blot, source)


class _Reader:
    """One walk over the tags of a source, with the open blocks on a stack."""

    def __init__(self, source: str, tell: Tell) -> None:
        self.source = source
        self.tell = tell
        self.stack = [_Open("", 0)]
        self.parts = 0

    def read(self) -> tuple[Node, ...]:
        at = 0
        for match in _TAG.finditer(self.source):
            self.parts += 1
            if self.parts > MOST_PARTS:
                self.tell(match.start(), f"a template has at most {MOST_PARTS} places and blocks")
                return ()
            start, end = self._bounds(match)
            self._text(at, max(at, start))
            at = max(at, end)
            if match["open"]:
                self.tell(match.start(), f'"{match["open"]}" is not closed: "{_CLOSES[match["open"]]}" is missing')
                return ()
            if match["place"] is not None:
                self._place(match)
            elif match["block"] is not None:
                self._block(match)
        self._text(at, len(self.source))
        for left in self.stack[1:]:
            self.tell(left.index, f'this "{left.word}" is not closed: "end{left.word}" is missing')
        return tuple(self.stack[0].nodes)

    def _bounds(self, match: re.Match[str]) -> tuple[int, int]:
        """Where a tag begins and ends; a block or comment alone on its line takes the whole line with it."""
        start, end = match.start(), match.end()
        if match["place"] is not None or match["open"]:
            return start, end
        line = self.source.rfind("\n", 0, start) + 1
        after = self.source.find("\n", end)
        after = len(self.source) if after < 0 else after + 1
        alone = not self.source[line:start].strip() and not self.source[end:after].strip()
        return (line, after) if alone else (start, end)

    def _text(self, start: int, end: int) -> None:
        if end > start:
            self.stack[-1].nodes.append(Literal(self.source[start:end]))

    def _place(self, match: re.Match[str]) -> None:
        piece = self._piece(match["place"], match.start("place"))
        if not piece.source:
            self.tell(match.start(), "nothing stands in this place: an expression is expected")
        elif not self._foreign(piece):
            self.stack[-1].nodes.append(Shown(piece))

    def _piece(self, text: str, index: int) -> Piece:
        return Piece(text.strip(), index + len(text) - len(text.lstrip()))

    def _foreign(self, piece: Piece) -> bool:
        """Tell of filters, which other template languages have."""
        plain = re.sub(r"'[^']*'|\"[^\"]*\"", lambda quoted: "'" * len(quoted[0]), piece.source)
        bar = plain.find("|")
        if bar >= 0:
            name = re.match(r"\|\s*(\w*)", piece.source[bar:])
            said = name[1] if name and name[1] else "|"
            self.tell(piece.index + bar, f'the filter "{said}" is not allowed: a template has no filters, but the '
                                         "functions of expressions, such as upper(name)")
        return bar >= 0

    def _block(self, match: re.Match[str]) -> None:
        word, _, rest = match["block"].strip().partition(" ")
        start = match.start("block")
        piece = self._piece(rest, self.source.index(word, start) + len(word) + 1) if word else Piece("", start)
        if word == "if":
            self._open(_Open("if", match.start(), condition=self._condition(piece, word)))
        elif word == "for":
            self._for(piece, match.start())
        elif word in ("elif", "else"):
            self._other(word, piece, match.start())
        elif word in ("endif", "endfor"):
            self._close(word.removeprefix("end"), match.start())
        else:
            about = "is not allowed in a template" if word.strip("-+") in _FOREIGN else "is nothing a template knows"
            self.tell(start, f'"{word}" {about}: if, elif, else, endif, for and endfor stand in {{% %}}')

    def _condition(self, piece: Piece, word: str) -> Piece | None:
        if not piece.source:
            self.tell(piece.index, f'"{word}" needs a condition')
        return piece if piece.source and not self._foreign(piece) else None

    def _for(self, piece: Piece, index: int) -> None:
        found = _FOR.fullmatch(piece.source)
        loops = sum(one.word == "for" for one in self.stack)
        if found is None:
            self.tell(piece.index, '"for" is written: for line in lines, and behind it perhaps: if line.total > 0')
        elif loops >= MOST_LOOPS:
            self.tell(index, f"loops stand in loops at most {MOST_LOOPS} deep")
            found = None
        self._open(_Open("for", index, None if found is None else (
            found["name"], Piece(found["path"], piece.index + found.start("path")),
            Piece(found["where"], piece.index + found.start("where")) if found["where"] else None)))

    def _open(self, block: _Open) -> None:
        if len(self.stack) > DEEPEST:
            self.tell(block.index, f"blocks stand in blocks at most {DEEPEST} deep")
            raise _Stop
        self.stack.append(block)

    def _other(self, word: str, piece: Piece, index: int) -> None:
        block = self.stack[-1]
        if not block.word or block.last or (block.word == "for" and word == "elif"):
            self.tell(index, f'"{word}" comes after the last "else"' if block.last else f'"{word}" stands in no "if"')
            return
        if word == "else" and piece.source:
            self.tell(piece.index, '"else" has no condition: write elif')
        if block.word == "for":
            block.done = block.nodes
        else:
            block.branches.append(Branch(block.condition, tuple(block.nodes)))
            block.condition = self._condition(piece, word) if word == "elif" else None
        block.last, block.nodes = word == "else", []

    def _close(self, word: str, index: int) -> None:
        block = self.stack[-1]
        if block.word != word:
            self.tell(index, f'"end{word}" stands where "end{block.word}" is expected' if block.word
                      else f'there is no "{word}" to end here')
            return
        self.stack.pop()
        if word == "if":
            block.branches.append(Branch(block.condition, tuple(block.nodes)))
            self.stack[-1].nodes.append(Choice(tuple(block.branches)))
        elif block.loop is not None:
            body, otherwise = (block.done, block.nodes) if block.done is not None else (block.nodes, [])
            self.stack[-1].nodes.append(Loop(*block.loop, tuple(body), tuple(otherwise)))
