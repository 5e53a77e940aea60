"""Any bytes at all in any file of a set: problems at places or a Model, for bounded work, and never an exception."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.definition import load
from tests.core.definition.sets import write
from tests.core.definition.test_any_input import CHANGES
from tests.fixtures import ADDONS, SITE
from tests.work import calls

MOST_CALLS = 1_500_000          # a sound set takes a tenth of them
PATHS = ("addons/sample/addon.yaml", "addons/sample/tables/deal.yaml", "addons/sample/forms/deal.xml",
         "addons/sample/translations/zh_CN.po", "site/system.yaml", "site/tables/deal.yaml", "site/forms/deal.xml",
         "site/customisation.lock", "site/any/new.yaml", "site/any/new.xml", "site/any/new.po")
PIECES = st.sampled_from((
    "table", "form", "change", "fields", "name", "type", "text", "link", "deal", "of", "to", "where", "was", "texts",
    ": ", ":", "\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", ", ", "'", '"', "#", "&a ", "*a", "!!x ", "|\n", ">-\n",
    "---\n", "...\n", "%YAML 1.1\n", "<<: ", "? ", "~", "null", "true", ".nan", "1e9", "010", "12:30", "2024-02-30",
    "\t", "\r\n", "\u0085", "\u2028", "\ufeff", "\x00", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "<form", " name=", "<field", "/>", ">", "</form>", "&amp;", "&#0;", "&x;", "<!DOCTYPE x>", "<![CDATA[", "]]>", "<?x?>",
    "<!--", "-->", 'msgid ""\n', 'msgctxt "table deal.title"\n', 'msgstr "x"\n', "msgid_plural ", "#, fuzzy\n",
    "table deal.fields.amount.title", "{base: 1, from: sample 1.0.0}", "=today()", "deal.amount > 1", "\\", "\\u00"))
BYTES = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map("".join).map(
    lambda text: text.encode("utf-8", "surrogatepass")), st.text(max_size=200).map(
    lambda text: text.encode("utf-16-le", "surrogatepass")))


@pytest.fixture(scope="module")
def original() -> Iterator[Path]:
    """A set with layers, to be spoilt."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ADDONS, folder / "addons")
        shutil.copytree(SITE, folder / "site")
        write(folder, CHANGES)
        yield folder


@given(path=st.sampled_from(PATHS), data=BYTES, keep=st.sampled_from((0, 0, 20, 200)))
@example(path="site/customisation.lock", data=b"table deal.title: {base: {}, from: x}\n? [a]\n: b\n", keep=0)
@example(path="site/customisation.lock", data=b"- a\n", keep=0)
@example(path="addons/sample/translations/zh_CN.po", data=b'msgid "a"\nmsgid "b"\nmsgstr[1] "x"\n', keep=0)
@example(path="addons/sample/addon.yaml", data=b'addon: sample\n"versio\\tn": 1.0.0\n', keep=0)
@example(path="site/any/new.xml", data=b'<form change="deal"><set ref="a" ref="b"/></form>', keep=0)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_a_file_are_a_problem_at_a_place_or_none(original: Path, path: str, data: bytes,
                                                              keep: int) -> None:
    file = original / path
    before = file.read_bytes() if file.is_file() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((before or b"")[:keep] + data + (before or b"")[keep:] if keep else data)
    found = []
    try:
        work = calls(lambda: found.append(load([original / "addons"], original / "site", root=original)))
    finally:
        file.unlink() if before is None else file.write_bytes(before)
    assert work < MOST_CALLS
    loaded = found[0]
    assert (loaded.model is None) == bool(loaded.problems)
    assert list(loaded.problems) == sorted(loaded.problems)
    for one in loaded.problems:
        assert one.line > 0
        assert one.column > 0
        assert one.message.isprintable()
