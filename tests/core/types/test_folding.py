"""Sort keys."""

import pytest

from core.types.folding import fold, sort_key


@pytest.mark.parametrize(("text", "key"), [
    ("Ada", "ada"), ("Élan", "elan"), ("Straße", "strasse"), ("Łódź", "lodz"), ("北京", "beijing"),
    ("张伟 Zhang", "zhangwei zhang"), ("Ｆｕｌｌ", "full"), ("", ""),
])
def test_text_folds_to_what_people_look_for(text, key):
    assert fold(text) == key


def test_a_sort_key_is_short_even_where_pinyin_is_long():
    assert len(sort_key("庄" * 500)) == 100
    assert len(sort_key("a" * 500)) == 100


def test_folding_twice_changes_nothing():
    for text in ("Élan", "北京", "İstanbul", "ﬁeld"):
        assert fold(fold(text)) == fold(text)
