"""The type lines."""

import pytest


def test_lines_are_objects_and_have_no_column(field):
    lines = field("lines", of="item", by="order")
    given = [{"name": "a"}, {"id": 3, "_delete": True}]
    assert lines.validate(given) == given
    assert lines.parts() == []
    assert lines.columns([{"name": "a"}]) == ()
    assert lines.type.virtual
    assert lines.to_wire(None) == []


@pytest.mark.parametrize("bad", ["a", {"name": "a"}, [1], [{"id": "3"}], [{"id": -1}],
                                 [{"_delete": 1, "id": 3}]])
def test_other_shapes_are_no_lines(field, refused, bad):
    with refused("type"):
        field("lines", of="item", by="order").from_wire(bad)


def test_a_line_that_is_removed_needs_its_id(field, refused):
    with refused("line"):
        field("lines", of="item", by="order").from_wire([{"_delete": True}])


def test_there_are_not_too_many_lines(field, refused):
    with refused("too_many"):
        field("lines", of="item", by="order").from_wire([{}] * 2001)
