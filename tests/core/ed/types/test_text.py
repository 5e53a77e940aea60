"""The type text."""

from tests.core.ed.types.conformance import Conformance


class TestText(Conformance):
    definition = "{type: text, max: 40, search: contains}"
    given = "new"
    values = ("apple", "Ärger", "Banane", "王芳", "zeta")
    bad = ((5, "type"), ("x" * 41, "too_long"), ("a\x00b", "character"), ("a\ud800b", "character"), ("a\nb", "line_break"),
           ("x" * 20_000_000, "too_long"))
    typed = (("  apple ", "apple"), ("", None), ("e\u0301", "é"))
    found = (("appl", {0}), ("nan", {2}), ("王芳", {3}), ("ärg", {1}))
    page = (("<script>", "&lt;script&gt;"), ("\u05d0\u05d1", "<bdi>\u05d0\u05d1</bdi>"),
            ("a\u202egnp.exe", "<bdi>a\u202egnp.exe</bdi>"), ("a\u200bb", "<bdi>a\u200bb</bdi>"))
    where = (("value == 'apple'", {0}), ("contains(value, 'AN')", {2}), ("value is None", {-1}), ("value > 'b'", {1, 3, 4}))


class TestSeveralTexts(Conformance):
    definition = "{type: text, max: 40, many: true, search: words}"
    given = "[first, second]"
    sorts = False
    values = (["red", "dark; blue"], ["green"], ["red"])
    bad = (("red", "type"), ([5], "type"), (["x" * 41], "too_long"), (["a\x00b"], "character"), (["a"] * 101, "too_many"))
    typed = (("red; green", ["red", "green"]), ("red\ndark; blue\n", ["red", "dark; blue"]), (" ; ", []),
             ("red; red", ["red"]))
    shown = ((["red", "dark; blue"], "red, dark; blue"),)
    found = (("blue", {0}), ("red", {0, 2}))
    page = ((["<b>"], "&lt;b&gt;"),)
    where = (("'red' in value", {0, 2}), ("'red' not in value", {1, -1}), ("value is None", {-1}), ("label in value", set()))
