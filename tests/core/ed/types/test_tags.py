"""The type tags."""

from tests.core.ed.types.conformance import Conformance


class TestTags(Conformance):
    definition = "{type: tags, max: 3, search: words}"
    given = "[new]"
    sorts = False
    values = (["vip", "Trade fair"], ["客户"], ["vip"])
    bad = (("vip", "type"), (["a", "b", "c", "d"], "too_many"), (["x" * 51], "too_long"), (["a,b"], "tag"), ([5], "type"),
           (["a\nb"], "line_break"))
    typed = (("vip, Trade fair, VIP", ["vip", "Trade fair"]), ("客户，伙伴", ["客户", "伙伴"]), (" , ", []))
    mistyped = (("a,b,c,d", "too_many"),)
    shown = ((["vip", "Trade fair"], "vip, Trade fair"),)
    found = (("trade", {0}), ("客户", {1}), ("vip", {0, 2}))
    page = ((["<b>"], "&lt;b&gt;"),)
    where = (("'vip' in value", {0, 2}), ("'vip' not in value", {1, -1}), ("value is None", {-1}))
