"""The type memo."""

def test_a_memo_keeps_its_lines_and_its_indent(field):
    memo = field("memo")
    assert memo.validate("  a\r\nb\rc\n\n") == "  a\nb\nc"
    assert memo.validate("\n\n") is None


def test_a_memo_has_a_limit_and_refuses_nul(field, refused):
    with refused("too_long"):
        field("memo").validate("x" * 100_001)
    with refused("character"):
        field("memo").validate("a\x00")


def test_a_memo_has_one_part_and_no_order(field):
    assert field("memo").parts() == [("", "text")]
    assert not field("memo").type.sortable
