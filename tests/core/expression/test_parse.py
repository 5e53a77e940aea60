"""What the language lets through, and how fast it refuses the rest."""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from core.expression import ExpressionError
from core.expression.parse import parse
from tests.core.expression.world import ENVIRONMENT, checked, value
from tests.work import calls

UNCLOSED = "this text is not closed, or has a backslash before something other than a quote, \\, n or t"
REFUSED = [
    ("().__class__.__mro__", 1, 'a list stands only after "in"'),
    ("__import__('os')", 1, 'there is no function "__import__"'),
    ("open('/etc/passwd')", 1, 'there is no function "open"'),
    ("name.__class__", 1, 'text has no part "__class__"'),
    ("name.upper()", 1, "only functions can be called, by their name"),
    ("lambda: 1", 1, '"lambda" is not part of the language'),
    ("[x for x in lines]", 4, '"for" is not part of the language'),
    ("{1: 2}", 1, '"{" is not part of the language; write "["'),
    ("f'{name}'", 2, "a text has no letters before its quotes"),
    ("b'a'", 2, "a text has no letters before its quotes"),
    ("name := 'a'", 6, '":" is not part of the language'),
    ("9**9**9", 4, '"**" is not part of the language'),
    ("7 // 2", 1, '"//" is not part of the language'),
    ("1e9", 2, "a number must not run into a name"),
    ("0x10", 2, "a number must not run into a name"),
    ("1if archived else 2", 2, "a number must not run into a name"),
    ("9999999999999999", 1, "numbers have at most 15 digits before and after the point"),
    ("name & note", 6, '"&" is not part of the language; write "and"'),
    ("!archived", 1, '"!" is not part of the language; write "not"'),
    ("name == “a”", 9, '"“" is not part of the language; write """'),
    ("nаme == 'a'", 2, 'names have only the letters a to z, digits and "_"; "а" is not one of them'),
    ("ｎame", 1, 'names have only the letters a to z, digits and "_"; "ｎ" is not one of them'),
    ("name == '\\u0061'", 9, UNCLOSED),
    ("name == 'a", 9, UNCLOSED),
    ("name\x00", 5, '"U+0000" is not part of the language'),
    ("name # comment", 6, '"#" is not part of the language'),
    ("name = 'a'", 6, 'a comparison is written "=="'),
    ("amount if archived", 1, '"a if b else c" needs its "else"'),
    ("amount > ", 9, "this is not understood here"),
    ("amount amount", 8, "this is not understood here"),
    ("(amount", 1, '"(" is never closed'),
    ("amount)", 7, '")" closes nothing'),
    ("lines[1:2]", 8, '":" is not part of the language'),
    ("concat(*kinds)", 8, '"*" before a value is not part of the language'),
    ("+amount", 1, 'the sign "+" is not part of the language'),
    ("", 1, "there is no expression"),
    ("  \n ", 1, "there is no expression"),
    ("(" * 10_000, 1, "an expression has at most 2000 characters, this has 10000"),
    ("(" * 900 + "1" + ")" * 900, 51, "this is nested deeper than 50"),
    ("not " * 400 + "archived", 201, "this is nested deeper than 50"),
    ("-" * 1999 + "1", 51, "this is nested deeper than 50"),
    ("a" + ".a" * 900, 1, "this is nested deeper than 50"),
    ("1" + "+1" * 999, 1901, "this is nested deeper than 50"),
    ("count_of in [" + "1," * 600 + "1]", None, "an expression has at most 500 parts"),
]


@pytest.mark.parametrize(("source", "column", "message"), REFUSED, ids=[source[:30] for source, _, _ in REFUSED])
def test_what_is_not_in_the_language_is_refused_with_its_place(source: str, column: int | None, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        checked(source)
    if message is not None:
        assert caught.value.message == message
    if column is not None:
        assert caught.value.column == column


def test_columns_count_characters_and_not_bytes() -> None:
    with pytest.raises(ExpressionError) as caught:
        checked("name == '李雷' and wrong")
    assert caught.value.column == 18


def test_columns_are_right_after_spaces_and_line_ends() -> None:
    with pytest.raises(ExpressionError) as caught:
        checked("  \n  amount > 1\n  and wrong > 2")
    assert caught.value.column == 23


def test_an_expression_may_span_lines() -> None:
    assert value("amount > 1\n  and amount < 5", amount=Decimal(3)) is True


def test_numbers_are_exact() -> None:
    assert parse("0.1").number(parse("0.1").tree) == Decimal("0.1")  # type: ignore[arg-type]
    assert value("0.1 + 0.2 == 0.3") is True
    assert value("1_000_000") == 1_000_000


def test_texts_know_the_usual_escapes() -> None:
    assert value(r"'it\'s \"quoted\"\n\\'") == 'it\'s "quoted"\n\\'


PIECES = ["(", ")", "[", "]", ".", ",", " ", "name", "lines", "amount", "and", "or", "not", "in", "is", "if", "else",
          "None", "==", "<", "+", "-", "*", "/", "%", "'a'", "1", "9.5", "exists(", "sum(", "first(", "order=",
          "outer.", "all.", "__class__", "lambda", "**", ":=", "\\", "\x00", "é", "{", "}", "\n", "`", "f'", "0x",
          "user", "record"]


def test_whatever_is_typed_gives_an_expression_or_an_expression_error() -> None:
    pick = random.Random(7)
    touched: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and (event.startswith(("import", "open", "socket", "subprocess", "os.")) or event == "exec"):
            touched.append(f"{event} {arguments[:1]}")

    watching = False
    sys.addaudithook(watch)
    for _ in range(5_000):
        source = "".join(pick.choice(PIECES) + pick.choice(("", " ")) for _ in range(pick.randrange(1, 40)))
        watching = True
        try:
            checked(source)
        except ExpressionError as error:
            assert 1 <= error.column <= len(source) + 1
        finally:
            watching = False
    assert touched == []


LITTLE = 100_000             # calls: some 20 milliseconds
HOSTILE = [
    "(" * 50 + "1" + ")" * 50, "[" * 50 + "]" * 50, "f(" * 49 + ")" * 49, "lines[" * 45 + "1" + "]" * 45,
    "not(" * 40 + "archived" + ")" * 40, "(" * 49 + "1 if " + ")" * 49, "a[(" * 24 + ")]" * 24,
    " and ".join(["archived"] * 180), " < ".join(["amount"] * 200), "1" + " if archived else 1" * 45,
    "-(" * 24 + "amount" + ")" * 24, "lower(" * 48 + "name" + ")" * 48, "(((" * 16 + "a b" + ")))" * 16,
    "amount" + " - amount" * 45, "(amount " * 45 + ")" * 45, "sum(lines[exists(lines[" * 8 + "1" + "])])" * 8,
    "repeat(" * 45 + "'a'" + ", 100)" * 45, "matches(repeat('a', 100), '" + "*a" * 900 + "b')",
    "pad_left('a', 99999, '" + "b" * 1900 + "')", "within(today(), '" + "last " * 300 + "')",
    "double(" * 45 + "1" + ")" * 45, "switch(stage" + ", 'open', 1" * 150 + ")",
    " or ".join(["company in query.busy()"] * 80), "list(" * 40 + "lines" + ")" * 40,
    "'" + "a" * 1990 + "'", "(1, " * 49 + ")" * 49, "((a, b) in " * 20 + "1" + ")" * 20, "a." * 999 + "a",
]


@pytest.mark.parametrize("source", HOSTILE, ids=[source[:20] for source in HOSTILE])
def test_hostile_input_is_answered_with_little_work(source: str) -> None:
    def answer() -> None:
        with suppress(ExpressionError):
            expression = checked(source)
            expression.evaluate({"amount": Decimal(1), "name": "a", "archived": True}, ENVIRONMENT)
    assert calls(answer) < LITTLE
