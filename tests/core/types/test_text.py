"""The type text."""

import pytest


def test_text_is_stripped_composed_and_empty_text_is_nothing(field):
    text = field("text")
    assert text.validate("  Ada  ") == "Ada"
    assert text.validate("e\u0301") == "\u00e9"
    assert text.validate("") is None
    assert text.validate("   ") is None
    assert text.validate(None) is None


def test_text_may_be_as_long_as_declared_and_no_longer(field, refused):
    assert field("text", max=3).validate("abc") == "abc"
    with refused("too_long"):
        field("text", max=3).validate("abcd")
    with refused("too_long"):
        field("text").validate("x" * 20_000_000)


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b", "a\x1bb"])
def test_text_refuses_what_a_database_or_a_document_cannot_hold(field, refused, bad):
    with refused("character"):
        field("text").validate(bad)


def test_text_is_a_single_line(field, refused):
    with refused("line_break"):
        field("text").validate("a\nb")


@pytest.mark.parametrize("bad", [1, True, ["a"], {"a": 1}, 1.5])
def test_text_refuses_other_json_values(field, refused, bad):
    with refused("type"):
        field("text").from_wire(bad)


def test_text_has_a_key_to_sort_by_unless_it_says_no(field):
    assert field("text").parts() == [("", "text"), ("key", "text")]
    assert field("text").columns("Élan") == ("Élan", "elan")
    assert field("text").columns(None) == (None, None)
    assert field("text", sort=False).parts() == [("", "text")]
    assert field("text", sort=False).columns("Élan") == ("Élan",)


def test_text_comes_back_as_it_was(field):
    assert field("text").back("Élan", "elan") == "Élan"
    assert field("text").format("Élan") == "Élan"
    assert field("text").format(None) == ""
