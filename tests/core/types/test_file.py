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


@pytest.mark.parametrize("bad", ["7", -1, True, {"name": "a.png"}])
def test_other_values_are_no_file(field, refused, bad):
    with refused("type"):
        if bad == {"name": "a.png"}:
            field("file").validate(bad)
        else:
            field("file").from_wire(bad)


def test_a_file_cannot_be_typed(field, refused):
    assert field("file").parse("") is None
    with refused("file"):
        field("file").parse("a.png")
