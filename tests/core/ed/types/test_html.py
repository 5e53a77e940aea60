"""The type html."""

from hypothesis import given
from hypothesis import strategies as st

from core.types.html import cleaned
from tests.core.ed.types.conformance import Conformance

EVIL = ('<p onclick="x()">Hello <b>world</b></p><script>alert(1)</script><a href="javascript:x()">a</a>'
        '<img src=x onerror=alert(1)><iframe src="//evil"></iframe><style>p{}</style><svg onload=x()></svg>')


class TestHtml(Conformance):
    definition = "{type: html, max: 2000, search: words}"
    given = '"<p>Dear <b>all</b></p>"'
    sorts = False
    values = ("<p>Anvils &amp; <strong>rockets</strong></p><ul><li>one</li><li>two</li></ul>", "bare < text", EVIL,
              '<p>See <a href="https://example.com/a?b=1&amp;c=2">there</a></p>')
    bad = ((5, "type"), ("<p>" + "x" * 3000 + "</p>", "too_long"), ("a\x00b", "character"), ("a\ud800b", "character"))
    typed = (("two\nlines\n\nand < more", "<p>two<br>lines</p><p>and &lt; more</p>"), ("<p></p>", None), ("<br>", None),
             ("<script>x</script>", None))
    shown = ((EVIL, "Hello world\na"), ("<h2>T</h2><p>x</p><table><tr><td>1</td><td>2</td></tr></table>", "T\nx\n1 2"))
    found = (("rockets", {0}), ("strong", set()), ("there", {3}), ("world", {2}))
    page = ((EVIL, "<b>world</b>"), (values[3], 'target="_blank"'), (values[3], 'rel="noopener noreferrer nofollow"'))
    where = (("contains(value, 'rockets')", {0}), ("contains(value, '<')", {1}), ("value is None", {-1}),
             ("starts_with(value, 'Hello')", {2}), ("length(value) > 12", {0, 2}))


@given(st.text() | st.from_regex(r"(<[a-z]+( [a-z]+=\"[^\"]*\")?>[^<]*(</[a-z]+>)?){1,5}", fullmatch=True))
def test_what_was_cleaned_is_clean(source):
    once = cleaned(source)
    assert cleaned(once) == once
    assert "<script" not in once and "javascript:" not in once.replace(" ", "").lower().split(">")[0]


def test_of_two_texts_with_one_wording_the_markup_tells(field):
    kind = field("html")
    bold, plain = kind.validate("<p><b>a</b></p>"), kind.validate("<p>a</p>")
    assert bold != plain and bold == "a" == plain and hash(bold) == hash("a")
    assert kind.columns(bold) == ("a", "<p><b>a</b></p>") and kind.back("a", "<p><b>a</b></p>") == bold
    assert kind.to_wire("a < b") == "<p>a &lt; b</p>"       # what a formula gave
