"""The type file."""

import pytest

from core.types.file import FileValue


def test_a_file_is_set_by_its_id_and_read_with_its_name(field):
    photo = field("file")
    assert photo.from_wire(7) == FileValue(7)
    assert photo.from_wire({"id": 7, "name": "a.png"}) == FileValue(7)
    assert photo.columns(FileValue(7, "a.png")) == (7,)
    assert photo.back(7) == FileValue(7)
    assert photo.to_wire(FileValue(7, "a.png", "image/png", 12)) == {
        "id": 7, "name": "a.png", "type": "image/png", "size": 12}
    assert photo.format(FileValue(7, "a.png")) == "a.png"


@pytest.mark.parametrize("bad", [
    "7", -1, True, {"name": "a.png"}, {}, {"id": None}, {"hash": "a" * 64}, {"id": 7, "hash": "a" * 64}, {"id": {"id": 7}}, [7]])
def test_past_case_30_other_values_are_no_file(field, refused, bad):
    for read in (field("file").from_wire, field("file").validate):
        with refused("type"):
            read(bad)


def test_no_file_is_said_by_nothing(field):
    assert field("file").from_wire(None) is None


def test_a_file_cannot_be_typed(field, refused):
    assert field("file").parse("") is None
    with refused("file"):
        field("file").parse("a.png")
