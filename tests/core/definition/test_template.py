"""Templates: what they know, what they refuse, what comes out of them, and that it stays bounded and escaped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definition import markup
from core.definition.named import Template
from core.definition.rendering import Rendered, TooLarge, render
from core.definition.scope import ModelScope, Names, Written
from core.definition.template import Choice, Literal, Loop, Shown, bound, parse
from core.expression import Environment
from tests.core.definition.sets import load_set
from tests.work import calls

ENVIRONMENT = Environment({"id": 1, "name": "Ann"}, date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC), "UTC",
                          {"parameter.link": "https://example.org/?a=1&b=2", "setting.large": Decimal(100)})
TABLES = {
    "addons/shop/tables/user.yaml": "table: user\nfields: {name: {type: text}}\n",
    "addons/shop/tables/product.yaml": "table: product\nfields: {name: {type: text}, site: {type: url}}\n",
    "addons/shop/tables/line.yaml": "table: line\nfields:\n  offer: {type: link, to: offer, required: true}\n"
                                    "  product: {type: link, to: product}\n  quantity: {type: decimal}\n"
                                    "  parts: {type: link, to: product, many: true}\n",
    "addons/shop/tables/offer.yaml": "table: offer\nfields:\n  name: {type: text}\n  amount: {type: money}\n"
                                     "  main: {type: link, to: product}\n"
                                     "  lines: {type: lines, of: line, by: offer}\n",
    "addons/shop/settings/large.yaml": "setting: large\ntype: money\ndefault: 100\n",
}
NO_NAMES = ModelScope(Names(), None)
RECORD: Mapping[str, Any] = {
    "id": 5, "name": "Ten <b> & more", "amount": Decimal(250), "main": {"id": 9, "name": "Anvil", "site": None},
    "lines": [{"id": 1, "quantity": Decimal(2), "product": {"id": 9, "name": "Anvil", "site": "https://a.example/\"x"},
               "parts": [{"id": 3, "name": "Head"}, {"id": 4, "name": "Base"}]},
              {"id": 2, "quantity": Decimal(0), "product": None, "parts": []}]}


def show(written: Written, value: object) -> str:
    return f"{value:,}" if isinstance(value, Decimal) else str(value)


def template(folder: Path, body: str, suffix: str = "txt", head: str = "") -> Template:
    text = f"---\ntemplate: letter\nof: offer\n{head}---\n{body}"
    return load_set(folder, TABLES | {f"addons/shop/templates/letter.{suffix}": text}).must().templates["letter"]


def out(folder: Path, body: str, suffix: str = "txt", record: Mapping[str, Any] = RECORD, head: str = "") -> str:
    return render(template(folder, body, suffix, head), record, ENVIRONMENT, show).body


def refused(folder: Path, body: str, suffix: str = "txt") -> list[str]:
    text = f"---\ntemplate: letter\nof: offer\n---\n{body}"
    return [problem.message for problem in
            load_set(folder, TABLES | {f"addons/shop/templates/letter.{suffix}": text}).problems]


def test_a_text_is_taken_apart() -> None:
    told: list[tuple[int, str]] = []
    nodes = parse("a{{ x }}{# no #}{% if y %}b{% else %}c{% endif %}{% for z in w %}d{% endfor %}",
                  lambda index, message: told.append((index, message)))
    assert told == [] and [type(node) for node in nodes] == [Literal, Shown, Choice, Loop]
    assert isinstance(nodes[1], Shown) and (nodes[1].piece.source, nodes[1].piece.index) == ("x", 4)


@pytest.mark.parametrize(("body", "text"), [
    ("Dear {{ user.name }}, {{ name }}: {{ amount }}.", "Dear Ann, Ten <b> & more: 250."),
    ("{{ main.name }} {{ main.site }}|", "Anvil |"),
    ("{% if amount > setting.large %}large{% else %}small{% endif %}", "large"),
    ("{% if amount > 1000 %}huge{% elif amount > 200 %}large{% else %}small{% endif %}", "large"),
    ("{% if main.site == 'x' %}never{% endif %}", ""),
    ("{% for line in lines %}{{ line.quantity }};{% endfor %}", "2;0;"),
    ("{% for line in lines if line.quantity > 0 %}{{ line.product.name }} of {{ name }}{% endfor %}",
     "Anvil of Ten <b> & more"),
    ("{% for line in lines if line.quantity > 9 %}x{% else %}none{% endfor %}", "none"),
    ("{% for line in lines %}{% for part in line.parts %}{{ part.name }},{% endfor %}{% endfor %}", "Head,Base,"),
    ("{% for line in record.lines %}{{ record.name == name }}{% endfor %}", "TrueTrue"),
    ("{{ sum(lines.quantity) }} in {{ count(lines) }}, {{ upper('x') }}{{ year(today()) }}", "2 in 2, X2026"),
    ("a\n{% if amount > 1 %}\n  b\n{% endif %}\nc\n", "a\n  b\nc\n"),
    ("a {# not this #}b", "a b"),
])
def test_what_comes_out(tmp_path: Path, body: str, text: str) -> None:
    assert out(tmp_path, body) == text


def test_html_is_escaped_everywhere(tmp_path: Path) -> None:
    head = "parameters: {link: {type: url}}\n"
    body = ('<p title="{{ name }}">{{ name }}</p>{% for line in lines %}<a href="{{ line.product.site }}">x</a>'
            '{% endfor %}<a href="{{ parameter.link }}">y</a>')
    assert out(tmp_path, body, "html", head=head) == (
        '<p title="Ten &lt;b&gt; &amp; more">Ten &lt;b&gt; &amp; more</p>'
        '<a href="https://a.example/&#34;x">x</a><a href="">x</a>'
        '<a href="https://example.org/?a=1&amp;b=2">y</a>')


def test_what_a_value_says_is_never_a_template(tmp_path: Path) -> None:
    attack = "{{ user.name }}{% for x in lines %}{{ 7 * 7 }}{% endfor %}${7*7}<%= 7*7 %>#{7*7}{{''.__class__}}"
    for suffix in ("txt", "html"):
        found = out(tmp_path / suffix, "{{ name }}", suffix, {**RECORD, "name": attack})
        assert found.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'") == attack


def test_a_subject_is_one_line(tmp_path: Path) -> None:
    made = template(tmp_path, "x", head='subject: "About {name} of {main.name}"\n')
    found = render(made, {**RECORD, "name": "a\r\nBcc: all@example.org\x00"}, ENVIRONMENT, show)
    assert found == Rendered("About a Bcc: all@example.org  of Anvil", "x", "text")


def test_a_translated_text_takes_the_place_of_the_written_one(tmp_path: Path) -> None:
    made = template(tmp_path, "Dear {{ name }}", head='subject: "About {name}"\n')
    found = render(made, RECORD | {"name": "N"}, ENVIRONMENT, show, "关于{name}", "尊敬的{{ name }}")
    assert (found.subject, found.body) == ("关于N", "尊敬的N")


@pytest.mark.parametrize("thing", [object(), print, Path("x"), {1, 2}, b"x"])
def test_only_plain_values_are_shown(tmp_path: Path, thing: object) -> None:
    made = template(tmp_path, "{{ name }}")
    with pytest.raises(TypeError, match="plain values only"):
        render(made, {**RECORD, "lines": [{"product": thing}]}, ENVIRONMENT, show)


def test_what_comes_out_is_bounded(tmp_path: Path) -> None:
    made = template(tmp_path, "{% for a in lines %}{% for b in lines %}{{ name }}{% endfor %}{% endfor %}")
    lines = [{"quantity": Decimal(n)} for n in range(101)]
    with pytest.raises(TooLarge, match="10000 records"):
        render(made, {**RECORD, "lines": lines}, ENVIRONMENT, show)
    with pytest.raises(TooLarge, match="characters"):
        render(made, {**RECORD, "name": "x" * 300_000}, ENVIRONMENT, show)


@pytest.mark.parametrize("body", [
    "{{ ''.__class__.__mro__ }}", "{{ cycler.__init__.__globals__ }}", "{{ name.__class__ }}", "{{ name.upper() }}",
    "{{ ()|attr('x') }}", "{{ lipsum() }}", "{{ range(1000000000) }}", "{{ self.x }}", "{{ record['name'] }}",
    "{% for i in range(1000000000) %}x{% endfor %}", "{% macro m() %}{% endmacro %}", "{% set x = 1 %}",
    "{% import 'os' as os %}", "{% include name %}", "{% raw %}{% endraw %}", "{{ 'a' * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}", "{{ f'{name}' }}", "{{ (lambda: 1)() }}", "{{ [x for x in lines] }}", "{{ name if }}",
    "{{ '%s' % name }}", "{{ '{0.__class__}'.format(name) }}", "{{ environment }}", "{{ __import__('os') }}",
    "{{ name", "{% if", "{{ }} ", "{% %}", "{{ {{ name }} }}", "{% for %}{% endfor %}", "{% endif %}",
])
def test_nothing_else_is_understood(tmp_path: Path, body: str) -> None:
    assert refused(tmp_path, body)


@pytest.mark.parametrize("body", [
    "<script>{{ name }}</script>", "<p onclick='x'>y</p>", "<a href='javascript:x'>y</a>", "<a href=\"{{ name }}\">y</a>",
    "<a href=' jav&#x61;script:x'>y</a>", "<a href='data:text/html,x'>y</a>", "<img src='file:///etc/passwd'>",
    "<p style='width: {{ amount }}'>y</p>", "<p class={{ name }}>y</p>", "<{{ name }}>", "</{{ name }}>", "< {{ name }}>",
    "<{% if name is None %}b{% endif %}>", "<p {% if name is None %}a{% endif %}='x'>y</p>", "<!-- {{ name }} -->",
    "<iframe src='https://example.org'></iframe>", "<svg><a/></svg>", "<form action='https://x'></form>",
    "<base href='https://x'>", "<link href='https://x'>", "<style>p{}</style>", "<meta http-equiv='refresh'>",
    "<a href=\"{% if name is None %}java{% endif %}script:x\">y</a>", "<p>", "</p>", "<![CDATA[x]]>", "<?php x ?>",
    "<p srcdoc='x'>y</p>", "<object data='x'></object>", "a < b", "\ue000", "<p title='a' href={% if name is None %}x{% endif %}>y</p>",
])
def test_no_html_that_runs_or_fetches(tmp_path: Path, body: str) -> None:
    assert refused(tmp_path, body, "html")


@pytest.mark.parametrize("piece", ["<", "<a ", "<!--", "<a x='", "</", "<p>", "<p></b>", "<?", "<![", "{{", "{%", "{# ",
                                   "{{ x }}", "{% if x %}", "{% for x in y %}", "'", "{% endif %}", "&"])
def test_a_text_that_means_harm_costs_little(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    told: list[int] = []

    def look() -> None:
        bound(text, NO_NAMES, lambda index, message: told.append(index))
        if not told:
            markup.check(text, lambda index: False, lambda index, message: told.append(index))
    assert calls(look) < 400_000


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", "{#", "#}", " ", "if", "elif", "else", "endif", "for", "endfor", "in",
                                 "x", "x.y", ">", "<", "<p>", "</p>", "<a href=", '"', "'", "|", "(", ")", "\n", "=", "-"]),
                max_size=40))
def test_any_text_is_a_template_or_has_a_problem(pieces: list[str]) -> None:
    text = "".join(pieces)
    told: list[int] = []
    bound(text, NO_NAMES, lambda index, message: told.append(index))
    if not told:
        markup.check(text, lambda index: False, lambda index, message: told.append(index))
    assert all(0 <= index <= len(text) for index in told)


def test_html_as_letters_need_it_is_fine(tmp_path: Path) -> None:
    body = ('<table border="0" cellpadding="4"><tr class="{% if amount > 1 %}a{% else %}b{% endif %}"><td style="color: red">'
            '{{ name }}</td></tr></table><p>a &lt; b &amp; c<br>\n<a href="https://example.org/{{ name }}">x</a>'
            '<img src="cid:logo" alt="{{ name }}"></p>')
    assert refused(tmp_path, body, "html") == []


def test_a_layer_changes_a_subject_and_keeps_the_text(tmp_path: Path) -> None:
    files = TABLES | {
        "addons/shop/templates/letter.html": "---\ntemplate: letter\nof: offer\nsubject: Offer\n---\n<p>{{ name }}</p>\n",
        "metadata/system.yaml": "system: main\naddons: [shop]\n",
        "metadata/templates/letter.yaml": 'change: template letter\nsubject: "Our {name}"\n'}
    found = load_set(tmp_path, files).must().templates["letter"]
    assert (found.subject, found.source, found.format) == ("Our {name}", "<p>{{ name }}</p>\n", "html")
    files["metadata/templates/letter.html"] = "---\nchange: template letter\n---\n<p>Ours: {{ name }}</p>\n"
    del files["metadata/templates/letter.yaml"]
    (tmp_path / "metadata" / "templates" / "letter.yaml").unlink()
    found = load_set(tmp_path, files).must().templates["letter"]
    assert (found.subject, found.source, found.format) == ("Offer", "<p>Ours: {{ name }}</p>\n", "html")


def test_its_texts_are_translated_as_a_whole(tmp_path: Path) -> None:
    model = load_set(tmp_path, TABLES | {
        "addons/shop/templates/letter.txt": '---\ntemplate: letter\nof: offer\nsubject: "About {name}"\n---\nDear {{ name }}\n',
        "addons/shop/translations/zh_CN.po": (
            'msgctxt "template letter.subject"\nmsgid "About {name}"\nmsgstr "关于{name}"\n\n'
            'msgctxt "template letter.body"\nmsgid "Dear {{ name }}\\n"\nmsgstr "尊敬的{{ name }}\\n"\n')}).must()
    assert model.text("template letter.subject", "zh_CN") == "关于{name}"
    assert model.text("template letter.body", "zh_CN") == "尊敬的{{ name }}\n"
    assert model.text("template letter.body", "en") == "Dear {{ name }}\n"


def test_windows_line_ends_are_no_difference(tmp_path: Path) -> None:
    text = "---\r\ntemplate: letter\r\nof: offer\r\n---\r\nDear {{ name }},\r\n{{ nmae }}\r\n"
    loaded = load_set(tmp_path, TABLES | {"addons/shop/templates/letter.txt": "x"})
    (tmp_path / "addons/shop/templates/letter.txt").write_bytes(text.encode())
    loaded = load_set(tmp_path, TABLES)
    assert [str(problem) for problem in loaded.problems] == [
        'addons/shop/templates/letter.txt:6:4: "nmae" is not on table "offer" (did you mean "name"?)']
