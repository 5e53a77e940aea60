"""The type memo."""

from tests.core.ed.types.conformance import Conformance


class TestMemo(Conformance):
    definition = "{type: memo, max: 200, search: words}"
    given = '"a\\nb"'
    sorts = False
    values = ("one\ntwo", "三\n四", "plain")
    bad = ((5, "type"), ("x" * 201, "too_long"), ("a\x00b", "character"), ("x" * 20_000_000, "too_long"))
    typed = (("a\r\nb  ", "a\nb"), ("", None))
    found = (("two", {0}), ("三", {1}))
    page = (("<b>\u202e", "&lt;b&gt;"), ("x", 'dir="auto"'))
    where = (("contains(value, 'TWO')", {0}), ("value is None", {-1}))
