"""Changing files by path: what is not meant stays as it is, character by character."""

from __future__ import annotations

import random
import string

import pytest

from core.definition import yaml as reader
from core.definition.rewriting import document
from core.definition.values import BodyPath
from core.definition.yaml_text import YamlText, emit
from core.errors import Refused

TEXT = """# What we change of leads.
change: table lead     # the shipped one

fields:
  # People asked for it.
  amount: {required: true, title: "Worth, all in"}   # said the boss
  city:
    title: 'Town'      # not city
    help: |
      Where they
      live.

  # The last one.
  note: null
  region: {type: text, after: city}
peek: [name, city]     # for look-ups
rules:
  cheap:
    check: amount < 5
keeps:
  - history
  - timeline  # both
"""


def removed(text: str, *paths: BodyPath) -> str:
    made = YamlText(text)
    for path in paths:
        made.remove(path)
    return made.text


def lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """The lines that went and those that came."""
    before, after = old.split("\n"), new.split("\n")
    return [one for one in before if one not in after], [one for one in after if one not in before]


@pytest.mark.parametrize(("path", "gone", "came"), [
    (("fields", "amount", "required"), ['  amount: {required: true, title: "Worth, all in"}   # said the boss'],
     ['  amount: {title: "Worth, all in"}   # said the boss']),
    (("fields", "amount", "title"), ['  amount: {required: true, title: "Worth, all in"}   # said the boss'],
     ["  amount: {required: true}   # said the boss"]),
    (("fields", "amount"), ['  amount: {required: true, title: "Worth, all in"}   # said the boss'], []),
    (("fields", "city", "title"), ["    title: 'Town'      # not city"], []),
    (("fields", "city", "help"), ["    help: |", "      Where they", "      live."], []),
    (("fields", "note"), ["  note: null"], []),
    (("rules", "cheap", "check"), ["rules:", "  cheap:", "    check: amount < 5"], []),
    (("peek", 0), ["peek: [name, city]     # for look-ups"], ["peek: [city]     # for look-ups"]),
    (("peek", 1), ["peek: [name, city]     # for look-ups"], ["peek: [name]     # for look-ups"]),
    (("keeps", 1), ["  - timeline  # both"], []),
    (("keeps",), ["keeps:", "  - history", "  - timeline  # both"], [])])
def test_a_property_is_removed_with_its_line_and_nothing_else(path: BodyPath, gone: list[str], came: list[str]) -> None:
    assert lines(TEXT, removed(TEXT, path)) == (gone, came)


def test_what_becomes_empty_goes_too_and_a_bare_file_says_so() -> None:
    made = YamlText("change: table lead\nfields:\n  amount: {required: true}\n")
    made.remove(("fields", "amount", "required"))
    assert made.text == "change: table lead\n"
    assert made.bare
    assert not YamlText(TEXT).bare


@pytest.mark.parametrize(("path", "value", "gone", "came"), [
    (("fields", "amount", "required"), "stage == 'won'",
     ['  amount: {required: true, title: "Worth, all in"}   # said the boss'],
     ['  amount: {required: "stage == \'won\'", title: "Worth, all in"}   # said the boss']),
    (("fields", "amount", "title"), "Value", ['  amount: {required: true, title: "Worth, all in"}   # said the boss'],
     ['  amount: {required: true, title: "Value"}   # said the boss']),
    (("fields", "amount", "help"), "Net.", ['  amount: {required: true, title: "Worth, all in"}   # said the boss'],
     ['  amount: {required: true, title: "Worth, all in", help: Net.}   # said the boss']),
    (("fields", "city", "title"), "It's", ["    title: 'Town'      # not city"], ["    title: 'It''s'      # not city"]),
    (("fields", "city", "help"), "At home.", ["    help: |", "      Where they", "      live."], ["    help: At home."]),
    (("fields", "city", "required"), True, [], ["    required: true"]),
    (("fields", "note"), {"title": "Note"}, ["  note: null"], ["  note: {title: Note}"]),
    (("fields", "name", "title"), "Who", [], ["  name: {title: Who}"]),
    (("rules", "cheap"), None, ["  cheap:", "    check: amount < 5"], ["  cheap: null"]),
    (("keeps", 2), "attachments", [], ["  - attachments"]),
    (("keeps",), ["history"], ["keeps:", "  - history", "  - timeline  # both"], ["keeps: [history]  # both"]),
    (("peek",), {"add": ["x"]}, ["peek: [name, city]     # for look-ups"], ["peek: {add: [x]}     # for look-ups"]),
    (("access", "only"), "owner", [], ["access: {only: owner}"])])
def test_a_property_is_set_where_it_stands_or_at_the_end(path: BodyPath, value: object, gone: list[str],
                                                         came: list[str]) -> None:
    made = YamlText(TEXT)
    made.set(path, value)
    assert lines(TEXT, made.text) == (gone, came)
    assert at(made.text, path) == value


def test_a_member_is_renamed() -> None:
    made = YamlText(TEXT)
    made.rename(("fields", "amount"), "worth")
    assert made.text == TEXT.replace("  amount: {req", "  worth: {req")


def test_what_is_not_there_and_what_would_break_the_file_is_refused() -> None:
    made = YamlText(TEXT, "a.yaml")
    with pytest.raises(Refused, match="a.yaml has no fields.phone any more"):
        made.remove(("fields", "phone"))
    with pytest.raises(Refused, match="cannot be changed"):
        made.replace(0, 0, "{")
    with pytest.raises(Refused, match="neither YAML nor XML"):
        document("a.po", "")
    assert made.text == TEXT


def at(text: str, path: BodyPath) -> object:
    found, _, problems = reader.read(text.encode(), "a.yaml")
    assert not problems
    for part in path:
        found = found[part]                                     # type: ignore[index]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_every_value_is_written_so_that_it_is_read_back(seed: int) -> None:
    choice = random.Random(seed)
    alphabet = string.printable[:-2] + "é金" + "\u2028\x85" + " :#'\"{}[],&*!|>%@`-?"
    for _ in range(200):
        text = "".join(choice.choice(alphabet) for _ in range(choice.randrange(12)))
        for value in (text, {"a": [text, 1, None]}, {text or "x": True}):
            assert at(f"x: {emit(value)}\n", ("x",)) == value
            made = YamlText("x: {y: 1}\nz: 'q'\n")
            made.set(("x", "y"), value)
            made.set(("z",), value)
            assert (at(made.text, ("x", "y")), at(made.text, ("z",))) == (value, value)


@pytest.mark.parametrize("text", ["on", "yes", "12:30", "010", "null", "~", "", "1.5", "-1", ".5", "1e5", "<<", "=", "True"])
def test_words_that_could_be_read_as_something_else_stay_texts(text: str) -> None:
    assert at(f"x: {emit(text)}\n", ("x",)) == text


FORM = """<?xml version="1.0"?>
<!-- What we change. -->
<form change="lead" title='Leads'>
  <after ref="name">          <!-- new -->
    <field name="région"/>
    <field name="city" title="Where &amp; how"/>
  </after>

  <set ref="amount" readonly="true"/>
  <remove ref="hint"/>  <!-- nobody wants it -->
</form>
"""


@pytest.mark.parametrize(("path", "old", "new"), [
    (("title",), " title='Leads'", ""),
    (("changes", 0, "children", 0), '    <field name="région"/>\n', ""),
    (("changes", 0, "children", 1, "attributes", "title"), ' title="Where &amp; how"', ""),
    (("changes", 1), '  <set ref="amount" readonly="true"/>\n', ""),
    (("changes", 2), '<remove ref="hint"/>', "")])
def test_an_element_or_attribute_is_removed(path: BodyPath, old: str, new: str) -> None:
    made = document("a.xml", FORM)
    made.remove(path)
    assert made.text == FORM.replace(old, new)


@pytest.mark.parametrize(("path", "value", "old", "new"), [
    (("title",), "It's <all>", "'Leads'", "'It&apos;s &lt;all&gt;'"),
    (("changes", 1, "attributes", "readonly"), False, 'readonly="true"', 'readonly="false"'),
    (("changes", 1, "attributes", "title"), 'a "b"', ' readonly="true"/>',
     ' readonly="true" title="a &quot;b&quot;"/>'),
    (("changes", 2), {"tag": "move", "attributes": {"ref": "hint", "after": "name"}}, '<remove ref="hint"/>',
     '<move ref="hint" after="name"/>')])
def test_an_attribute_or_element_is_set(path: BodyPath, value: object, old: str, new: str) -> None:
    made = document("a.xml", FORM)
    made.set(path, value)
    assert made.text == FORM.replace(old, new)


def test_an_attribute_is_renamed_and_a_bare_form_says_so() -> None:
    made = document("a.xml", '<form change="lead" title="x"/>')
    made.rename(("title",), "of")
    assert made.text == '<form change="lead" of="x"/>'
    made.remove(("of",))
    assert (made.text, made.bare) == ('<form change="lead"/>', True)
