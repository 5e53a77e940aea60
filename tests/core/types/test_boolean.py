"""The type boolean."""

import pytest

from core.types import Locale


@pytest.mark.parametrize("word", ["yes", "Y", "TRUE", "1", "on", "是"])
def test_words_for_yes(field, word):
    assert field("boolean").parse(word) is True


@pytest.mark.parametrize("word", ["no", "N", "False", "0", "off", "否"])
def test_words_for_no(field, word):
    assert field("boolean").parse(word) is False


def test_nothing_said_is_neither(field, refused):
    assert field("boolean").parse(" ") is None
    with refused("boolean"):
        field("boolean").parse("maybe")


@pytest.mark.parametrize("bad", [0, 1, "true", "no", []])
def test_the_wire_takes_json_booleans_only(field, refused, bad):
    with refused("type"):
        field("boolean").from_wire(bad)


def test_it_is_written_in_the_language(field):
    assert field("boolean").format(True) == "Yes"
    assert field("boolean").format(False, Locale("zh_CN")) == "否"
    assert field("boolean").format(None) == ""
