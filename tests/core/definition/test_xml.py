"""Reading XML: elements and attributes with their places."""

from __future__ import annotations

from core.definition import xml


def test_elements_and_attributes_know_their_places() -> None:
    text = ('<?xml version="1.0"?>\n<!-- a form -->\n<form name="城市"\n      of="company">\n'
            '  <field name="a"/>\n</form>\n')
    root, problems = xml.read(text.encode(), "form.xml")
    assert root is not None
    assert not problems
    assert root.attributes == {"name": "城市", "of": "company"}
    assert root.marks["name"][1:] == (3, 7, 3, 13)
    assert root.marks["of"][1:] == (4, 7, 4, 11)
    assert root.children[0].mark[1:3] == (5, 3)


def test_places_after_letters_of_several_bytes_are_right() -> None:
    root, _ = xml.read('<form title="客户"><field name="a"/></form>'.encode(), "form.xml")
    assert root is not None
    assert root.children[0].mark[1:3] == (1, 18)


def test_entities_that_xml_itself_has_are_understood() -> None:
    root, problems = xml.read(b'<form title="a &lt; b &amp; &#228;"/>', "form.xml")
    assert root is not None
    assert not problems
    assert root.attributes["title"] == "a < b & \u00e4"
