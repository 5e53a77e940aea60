"""The type url."""

import pytest


def test_an_address_without_a_scheme_gets_one(field):
    url = field("url")
    assert url.validate("example.org/a?b=c") == "https://example.org/a?b=c"
    assert url.validate("http://example.org") == "http://example.org"
    assert url.validate("localhost:8000/x") == "https://localhost:8000/x"
    assert url.validate("") is None


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "data:text/html,x", "ftp://example.org", "http://",
                                 "a b.org", "http://[::1", "https://a.org/<script>", "http://a:99999999/"])
def test_other_text_is_no_address(field, refused, bad):
    with refused("url"):
        field("url").validate(bad)
