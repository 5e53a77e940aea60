"""The type sequence."""

from core.types import Type


def test_a_code_of_a_series_is_text(field):
    code = field("sequence", sequence="opportunity")
    assert code.validate("OPP-00017") == "OPP-00017"
    assert code.parts() == [("", "text")]
    assert code.type.expression_type(code.p) == Type("text")
