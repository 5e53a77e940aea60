"""The type link."""

import pytest

from core.types import Type


def test_a_link_is_an_id(field):
    owner = field("link", to="user")
    assert owner.validate(7) == 7
    assert owner.parse(" 7 ") == 7
    assert owner.parse("") is None
    assert owner.parts() == [("", "bigint")]
    assert owner.type.default_index(owner.p) == "btree"
    assert owner.type.expression_type(owner.p) == Type("link", "user")


@pytest.mark.parametrize("bad", [0, -1, 2**63, True, "7", 7.0, {"id": 7}])
def test_other_values_are_no_id(field, refused, bad):
    with refused("type"):
        field("link", to="user").from_wire(bad)


@pytest.mark.parametrize("bad", ["1e3", "-1", "１", "9" * 30, "Ada"])
def test_other_text_is_no_id(field, refused, bad):
    with refused("id"):
        field("link", to="user").parse(bad)


def test_several_links_are_a_list_without_repeats(field, refused):
    members = field("link", to="user", many=True)
    assert members.validate([3, 1, 3]) == [3, 1]
    assert members.validate([]) is None
    assert members.parse("3, 1,") == [3, 1]
    assert members.to_wire(None) == []
    assert members.parts() == [("", "bigint[]")]
    with refused("type"):
        members.from_wire(3)
    with refused("type"):
        members.from_wire([True])


def test_links_without_end_are_refused(field, refused):
    members = field("link", to="user", many=True)
    with refused("too_many"):
        members.from_wire([1] * 10_001)
    with refused("too_many"):
        members.parse("1," * 10_001)
