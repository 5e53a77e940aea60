"""Texts that made work grow with the square of their length: each is read once, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ed import words
from core.errors import BadRequest
from core.types.base import BadValue, Locale, Properties
from core.types.datetime import DatetimeType
from core.types.html import plain_text
from core.web.api import strict_json
from core.web.widgets import rich

LONG = 300_000              # with the square of it, a test would not end today
BLANK = "\u00a0"


def test_blanks_that_do_not_break() -> None:
    assert plain_text(f"<p>a{BLANK * LONG}b</p><p>{BLANK * LONG}</p>") == f"a{BLANK * LONG}b"
    assert plain_text("<p> a </p>\n\n<p>b<br> <br>c</p>") == "a\nb\nc"


def test_a_body_whose_text_does_not_end() -> None:
    with pytest.raises(BadRequest):
        strict_json.loads(b"[]" * 40 + b'"' + b'\\"' * LONG)
    with pytest.raises(BadRequest):
        strict_json.loads(b"[]" * 40 + b'"' * LONG)
    tokens = strict_json._TOKEN.findall('["a\\"b", "c')
    assert tokens == ["[", '"a\\"b"', ",", '"c']


@given(st.text(st.sampled_from("ab1٣ \u00a0-中"), max_size=130))
def test_codes_are_what_holds_digits(text: str) -> None:
    pieces = re.findall(r"(?=\S*\d)\S{4,40}", text)
    assert list(words._with_digits(text)) == pieces


def test_long_words_without_digits() -> None:
    assert list(words._with_digits("a" * LONG)) == []
    assert len(list(words._with_digits("a" * LONG + "1"))) == LONG // words.LONGEST_CODE


def test_moments_of_many_blanks() -> None:
    with pytest.raises(BadValue):
        DatetimeType().parse(f"1{' ' * LONG}x", Properties(), Locale("en", "UTC"))
    assert DatetimeType().parse("2026-01-31   10:05", Properties(), Locale("en", "UTC")) is not None


def test_long_rich_texts_are_not_kept() -> None:
    before = rich._kept.cache_info().currsize
    text = f"<p>{'x' * rich.LONGEST_KEPT}</p>"
    assert rich.safe(text) == text
    assert rich._kept.cache_info().currsize == before
    assert rich.safe("<p>short<script>x</script></p>") == "<p>short</p>"
