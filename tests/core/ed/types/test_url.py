"""The type url."""

from tests.core.ed.types.conformance import Conformance


class TestUrl(Conformance):
    definition = "{type: url, search: words}"
    given = "https://example.com"
    values = ("http://example.org/x?a=1;b=2,3", "https://example.com")
    bad = (("javascript:alert(1)", "url"), ("ftp://example.com", "url"), ("https://", "url"), ("https://a b", "url"), (5, "type"),
           ("https://[::1", "url"))
    typed = (("example.com", "https://example.com"),)
    found = (("org", {0}),)
    page = (("https://example.com", 'rel="noopener noreferrer nofollow"'),)
    where = (("starts_with(value, 'https')", {1}), ("value is None", {-1}))


class TestSeveralUrls(Conformance):
    definition = "{type: url, many: true}"
    sorts = False
    values = (["https://example.com", "https://example.org/a;b,c"], ["http://example.net"])
    bad = ((["javascript:x"], "url"),)
    typed = (("example.com example.org", ["https://example.com", "https://example.org"]),)
    where = (("'https://example.com' in value", {0}),)
