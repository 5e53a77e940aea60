"""Every sentence of the pages has its Chinese, with the same placeholders."""

from __future__ import annotations

import json
import re

import pytest

from core.errors import BadRequest, joined, words, words_from_json, words_to_json
from core.web.i18n import LANGUAGES, Text, negotiate, text_of
from tests.core.web.messages import messages, spliced


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_nothing_is_untranslated_or_left_over(language: str) -> None:
    found = messages()
    known = text_of(language).messages
    missing = sorted(f"{place}: {message[0]!r}" for message, place in found.items() if message[0] not in known)
    assert missing == []
    assert sorted(set(known) - {message[0] for message in found}) == []


def test_no_sentence_is_put_together_before_it_can_be_translated() -> None:
    assert spliced() == [], "write the sentence out, with {places}, and give their values beside it"


def test_words_within_words_are_translated_too() -> None:
    chinese = text_of("zh_CN")
    said = words("this is {what}, not a condition; compare it with something", what=words("a link to {name}", name="user"))
    assert str(said) == "this is a link to user, not a condition; compare it with something"
    assert chinese.of(said) == "这是指向 user 的链接，不是条件；请把它与某个值比较"
    assert chinese.of(BadRequest("{name}: {problem}", name="a", problem=words("a date")).words) == "a：日期"
    assert chinese.of("as it is") == "as it is"


def test_words_that_were_kept_are_translated_when_they_are_read() -> None:
    said = joined([words("{table} {key}: {problem}", table="firm", key="A", problem=words("a date")), "psql: 5"], "; ")
    kept = words_from_json(json.loads(json.dumps(words_to_json(said))))
    assert kept == said and str(kept) == "firm A: a date; psql: 5"
    assert text_of("zh_CN").of(kept) == "firm A：日期; psql: 5"
    assert words_from_json("what an earlier release wrote") == "what an earlier release wrote"


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_translations_keep_their_placeholders(language: str) -> None:
    for message, text in text_of(language).messages.items():
        translated = text if isinstance(text, str) else text[0]
        assert places(translated) == places(message), message
        assert translated.strip() and "\n" not in translated


def test_parameters_are_put_in_as_they_are() -> None:
    text = Text("en", {})
    assert text("a {name} b", name="{other} {0.__class__}", other="x") in (
        "a x {0.__class__} b",
        "a {other} {0.__class__} b",
    )
    assert text("100 % {unknown}") == "100 % {unknown}"


@pytest.mark.parametrize(("count", "english", "chinese"), [(1, "1 record", "1 条记录"), (2, "2 records", "2 条记录")])
def test_plurals(count: int, english: str, chinese: str) -> None:
    assert text_of("en").plural("{count} record", "{count} records", count) == english
    assert text_of("zh_CN").plural("{count} record", "{count} records", count) == chinese


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh_CN"),
        ("de,en;q=0.5", "en"),
        ("zh", "zh_CN"),
        (None, "en"),
        ("x" * 10_000, "en"),
        ("en;q=abc,zh-Hans", "zh_CN"),
        (",;q=,", "en"),
    ],
)
def test_the_browser_says_the_language_of_strangers(header: str | None, language: str) -> None:
    assert negotiate(header, ("en", "zh_CN")) == language
