"""Bodies: what JSON allows and we do not, and where it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadRequest
from core.web.api import strict_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=4), max_leaves=20)


@pytest.mark.parametrize(("body", "offset"), [
    (b"", 0),
    (b"{", 1),
    (b'{"a": 1,}', 8),
    (b'{"a": 1} x', 9),
    (b'{"a": 1, "b": {"a": 2}, "a": 3}', 24),
    (b'[{"a": 1}, {"\\u0061": 1, "a": 2}]', 25),
    (b'{"n": NaN}', 6),
    (b'{"s": "NaN", "n": NaN}', 18),
    (b'{"n": -Infinity}', 6),
    (b'{"n": ' + b"9" * 5000 + b"}", 6),
    (b'{"n": 1e999}', 6),
    (b"[" * 33, 32),
    (b"[" * 100_000 + b"]" * 100_000, 32),
    (b'{"a":' * 100_000, 5 * 32),
    (b'{"a": "\xff"}', 7),
    (b"\xef\xbb\xbf{}", 0),
    (b'{"a": "\x00"}', 7),
    (b'{"\\ud800": 1}', 1),
    (b'{"a": ["' + b"[" * 40 + b'"], "a": 1}', 52),
])
def test_rows_72_and_73_what_is_not_taken_is_refused_with_its_offset(body, offset):
    with pytest.raises(BadRequest) as caught:
        strict_json.loads(body)
    assert caught.value.column == offset + 1
    assert f"(offset {offset})" in str(caught.value)


@given(VALUES)
def test_all_else_is_read_as_json_reads_it(value):
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    try:
        strict_json.loads(data)
    except BadRequest as error:
        assert error.column is not None
