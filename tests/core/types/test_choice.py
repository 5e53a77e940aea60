"""The type choice."""

from core.types import Type


def test_a_choice_is_a_name(field, refused):
    stage = field("choice", of="stage")
    assert stage.validate(" won ") == "won"
    assert stage.validate("") is None
    assert stage.columns("won") == ("won",)
    assert stage.type.expression_type(stage.p) == Type("choice", "stage")
    with refused("type"):
        stage.from_wire(["won"])


def test_several_choices_are_a_list_without_repeats(field, refused):
    colours = field("choice", of="colour", many=True)
    assert colours.validate(["red", "blue", "red"]) == ["red", "blue"]
    assert colours.validate([]) is None
    assert colours.parse("red; blue，green") == ["red", "blue", "green"]
    assert colours.to_wire(None) == []
    assert colours.parts() == [("", "text[]")]
    assert colours.type.default_index(colours.p) == "gin"
    with refused("type"):
        colours.from_wire("red")
    with refused("type"):
        colours.from_wire([1])


def test_choices_without_end_are_refused(field, refused):
    colours = field("choice", of="colour", many=True)
    with refused("too_many"):
        colours.from_wire(["red"] * 1_001)
    with refused("too_many"):
        colours.parse("red," * 1_001)
