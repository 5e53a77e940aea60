"""Text to Python's syntax tree, within bounds; nothing but the closed list of tokens and nodes passes."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core.errors import Words, words
from core.expression.errors import ExpressionError

MAX_LENGTH = 2_000
MAX_DEPTH = 50
MAX_NODES = 500
MAX_DIGITS = 15

TOKEN = re.compile(r"""
    (?P<space>[ \t\r\n]+)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>[0-9][0-9_]*(?:\.[0-9]+)?)
  | (?P<text>'(?:[^'\\\n]|\\['"\\nt])*' | "(?:[^"\\\n]|\\['"\\nt])*")
  | (?P<open>[(\[])
  | (?P<close>[)\]])
  | (?P<operator>==|!=|<=|>=|[<>+\-*/%.,=])
""", re.VERBOSE)

WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "None", "True", "False"})
HINTS = {"&": "and", "|": "or", "!": "not", "{": "[", "}": "]", ";": ",", "“": '"', "”": '"', "‘": "'", "’": "'"}
NODES: tuple[type[ast.AST], ...] = (
    ast.Expression, ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.keyword, ast.List,
    ast.Tuple, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.IfExp, ast.Load,
    ast.And, ast.Or, ast.Not, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)
UNKNOWN_NODES: Mapping[type[ast.AST], str | Words] = {
    ast.FloorDiv: '"//"', ast.Pow: '"**"', ast.UAdd: words('the sign "+"'), ast.Slice: words("a range"),
    ast.Starred: words('"*" before a value'), ast.BitOr: '"|"', ast.LShift: '"<<"', ast.RShift: '">>"',
    ast.JoinedStr: words("a formatted text"), ast.Dict: words("a mapping"), ast.GeneratorExp: words("a loop"),
}


@dataclass(frozen=True)
class Source:
    """An expression as written, with its tree and the way back from the tree to places in the text."""

    text: str
    tree: ast.expr

    def column(self, node: ast.AST) -> int:
        """The place where a node begins, counted in characters from 1."""
        return _column(self.text, getattr(node, "col_offset", 0))

    def name_column(self, node: ast.Attribute) -> int:
        """The place where the name after the dot begins."""
        return _column(self.text, node.end_col_offset or 0) - len(node.attr)

    def segment(self, node: ast.expr) -> str:
        """The text of a node."""
        return self.text.encode()[node.col_offset:node.end_col_offset].decode()

    def number(self, node: ast.Constant) -> int | Decimal:
        """The exact value of a number as written; raises ExpressionError when it has too many digits."""
        written = self.segment(node).replace("_", "")
        whole, _, decimals = written.partition(".")
        if len(whole.lstrip("0")) > MAX_DIGITS or len(decimals) > MAX_DIGITS:
            raise ExpressionError("numbers have at most {most} digits before and after the point", self.column(node),
                                  most=MAX_DIGITS)
        return Decimal(written) if decimals else int(written)


def parse(text: str) -> Source:
    """Read an expression; raises ExpressionError for anything outside the language or its bounds."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError("an expression has at most {most} characters, this has {length}", most=MAX_LENGTH,
                              length=len(text))
    if not text.strip():
        raise ExpressionError("there is no expression")
    _check_tokens(text)
    line = re.sub(r"[\t\r\n]", " ", text)
    indent = len(line) - len(line.lstrip())
    try:
        tree = ast.parse(line.lstrip(), mode="eval").body
    except SyntaxError as error:
        column = error.offset + indent if error.offset else len(line.rstrip()) + 1
        raise ExpressionError(_syntax_message(error, line[column - 1:column]), column) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("this is too deeply nested") from None
    if indent:
        for node in ast.walk(tree):
            if isinstance(node, ast.expr | ast.keyword):
                node.col_offset += indent
                node.end_col_offset = (node.end_col_offset or 0) + indent
    _check_nodes(line, tree)
    return Source(line, tree)


def _check_tokens(text: str) -> None:
    """Refuse characters, words and numbers outside the language, and brackets that do not pair."""
    opened: list[tuple[str, int]] = []
    before: tuple[str, int] = ("", -1)           # kind and end of the last token
    for kind, token, start in _tokens(text):
        if kind == "name":
            if keyword.iskeyword(token) and token not in WORDS:
                raise ExpressionError('{what} is not part of the language', start + 1, what=f'"{token}"')
            if before == ("number", start):
                raise ExpressionError("a number must not run into a name", start + 1)
        elif kind == "text" and before == ("name", start):
            raise ExpressionError("a text has no letters before its quotes", start + 1)
        elif kind == "open":
            opened.append((token, start))
            if len(opened) > MAX_DEPTH:
                raise ExpressionError("this is nested deeper than {most}", start + 1, most=MAX_DEPTH)
        elif kind == "close" and (not opened or opened.pop()[0] != {")": "(", "]": "["}[token]):
            raise ExpressionError('"{sign}" closes nothing', start + 1, sign=token)
        before = (kind, start + len(token))
    if opened:
        raise ExpressionError('"{sign}" is never closed', opened[-1][1] + 1, sign=opened[-1][0])


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    if "\0" in text:                    # which Python versions take differently
        raise ExpressionError(_character_message("\0"), text.index("\0") + 1)
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(_character_message(text[position:]), position + 1)
        yield match.lastgroup or "", match.group(), position
        position = match.end()


def _character_message(rest: str) -> Words:
    character = rest[0]
    if character in HINTS:
        return words('"{sign}" is not part of the language; write "{other}"', sign=character, other=HINTS[character])
    if character in "'\"":
        return words("this text is not closed, or has a backslash before something other than a quote, \\, n or t")
    if character.isalpha():
        return words('names have only the letters a to z, digits and "_"; "{sign}" is not one of them', sign=character)
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return words("{what} is not part of the language", what=f'"{shown}"')


def _syntax_message(error: SyntaxError, character: str) -> Words:
    said = error.msg or ""
    if character == "=" or "'=='" in said or "cannot assign" in said:
        return words('a comparison is written "=="')
    if "expected 'else'" in said:
        return words('"a if b else c" needs its "else"')
    return words("this is not understood here")


def _check_nodes(text: str, tree: ast.expr) -> None:
    """Refuse trees too deep or too large, and nodes outside the list."""
    waiting: list[tuple[ast.AST, int, int]] = [(tree, 1, 0)]
    count = 0
    while waiting:
        node, depth, offset = waiting.pop()
        offset = getattr(node, "col_offset", offset)
        column = _column(text, offset)
        if not isinstance(node, NODES):
            raise ExpressionError("{what} is not part of the language", column,
                                  what=UNKNOWN_NODES.get(type(node), words("this")))
        if isinstance(node, ast.expr):
            count += 1
        if depth > MAX_DEPTH:
            raise ExpressionError("this is nested deeper than {most}", column, most=MAX_DEPTH)
        if count > MAX_NODES:
            raise ExpressionError("an expression has at most {most} parts", column, most=MAX_NODES)
        waiting += [(child, depth + 1, offset) for child in ast.iter_child_nodes(node)]


def _column(text: str, offset: int) -> int:
    return len(text.encode()[:offset].decode(errors="ignore")) + 1
