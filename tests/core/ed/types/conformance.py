"""What every type has to keep, tried with a table that has a field of it; a test module of a type is a few values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from markupsafe import Markup
from sqlalchemy import Connection, Engine
from werkzeug.datastructures import MultiDict

from core.definition import load
from core.ed.records import Records
from core.ed.schema import create_all, name_all
from core.ed.search_index import index_queue
from core.ed.session import Session
from core.ed.system import System
from core.errors import Invalid
from core.expression import check
from core.plugins import Plugins
from core.types.base import BadValue, Locale
from core.web.api.wire import Wire
from core.web.binding import bind
from core.web.context import Viewer
from core.web.i18n import text_of
from core.web.widgets import Control, Entry, Posted, widget_of
from tests.core.web.site import _Inputs as Inputs
from tests.fixtures.sample import identify
from tests.fixtures.writing import FOLDER

EN = Locale("en", "UTC")
CHOICES = "choices: size\nvalues: {small: {}, large: {}, old: {retired: true}}\n"
TABLE = """\
table: thing
display: "{{label}}"
keeps: [history]
fields:
  label: {{type: text}}
  value: {definition}
{default}{more}"""


@dataclass(frozen=True)
class Made:
    """A system with the table, and the ids of a record for each value of the test, then of one without."""

    system: System
    ids: tuple[int, ...]


class Conformance:
    """The base of the tests of a type: values in wire form from least to greatest, and what is known of them."""

    definition: ClassVar[str]                              # of the field, as in YAML
    values: ClassVar[Sequence[Any]]                        # in wire form, in the order of a sorted list
    given: ClassVar[Any] = None                            # a default, as YAML
    sorts: ClassVar[bool] = True
    bad: ClassVar[Sequence[tuple[Any, str]]] = ()          # in wire form, and the code of the problem
    typed: ClassVar[Sequence[tuple[Any, ...]]] = ()        # text, wire form, and a language if it is not English
    mistyped: ClassVar[Sequence[tuple[str, str]]] = ()     # text, code
    shown: ClassVar[Sequence[tuple[Any, ...]]] = ()        # wire form, text for people, language
    page: ClassVar[Sequence[tuple[Any, str]]] = ()         # wire form, a part of how a page draws it
    found: ClassVar[Sequence[tuple[str, set[int]]]] = ()   # what is searched for, which of the values it finds
    where: ClassVar[Sequence[tuple[str, set[int]]]] = ()   # a condition, for which of the values (and none, -1) it holds
    more: ClassVar[str] = ""                               # other fields
    plugins: ClassVar[Plugins | None] = None

    @classmethod
    def build(cls, engine: Engine, folder: Path) -> Made:
        """Make the table and its records, in a database that has no others."""
        plugins = cls.plugins or Plugins()
        model = load([FOLDER / "writing"], cls._site(folder), root=FOLDER, plugins=plugins).must()
        identities = identify(model)
        system = System(1, model, identities, name_all(model, identities), plugins=plugins)
        engine.dispose()                    # what its connections prepared is of another table of that name
        with engine.begin() as connection:
            connection.exec_driver_sql("drop schema ed cascade; create schema ed; create sequence ed.record_id")
            connection.exec_driver_sql("delete from sys.search; delete from sys.search_queue; delete from sys.history")
            create_all(connection, system)
            rows = cls._read(system, [{"label": f"number {n}", "value": v} for n, v in enumerate(cls.values)])
            ids = Records(Session.system_session(system, connection)).create("thing", [*rows, {"label": "none"}])
            while index_queue(connection, system):
                pass
        return Made(system, tuple(ids))

    @classmethod
    def _site(cls, folder: Path) -> Path:
        (folder / "system.yaml").write_text((FOLDER / "writing_site" / "system.yaml").read_text())
        default = "" if cls.given is None else f"  given: {cls.definition[:-1]}, default: {cls.given}}}\n"
        default = default.replace("search: words, ", "").replace("search: contains, ", "")
        for kind, name, text in (("choices", "size", CHOICES),
                                 ("tables", "thing", TABLE.format(definition=cls.definition, default=default,
                                                                  more=cls.more))):
            (folder / kind).mkdir(exist_ok=True)
            (folder / kind / f"{name}.yaml").write_text(text)
        return folder

    @staticmethod
    def _read(system: System, bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return Wire(system.model, system.model.tables["thing"]).read(bodies)

    @pytest.fixture
    def records(self, made: Made, connection: Connection) -> Records:
        return Records(Session.system_session(made.system, connection))

    @pytest.fixture
    def field(self, made: Made) -> Any:
        return made.system.model.tables["thing"].fields["value"]

    @pytest.fixture
    def normal(self, field: Any) -> Callable[[Any], Any]:
        return lambda wire: field.type.from_wire(wire, field.properties)

    def test_it_has_one_normal_form_and_travels_in_it(self, field: Any, normal: Callable[[Any], Any]) -> None:
        for wire in self.values:
            value = normal(wire)
            assert field.type.validate(value, field.properties) == value
            assert normal(field.type.to_wire(value, field.properties)) == value
            assert len(field.type.to_columns(value, field.properties)) == len(field.type.parts(field.properties))

    def test_it_is_kept_and_read_as_it_was_sent(self, made: Made, records: Records, field: Any,
                                                normal: Callable[[Any], Any]) -> None:
        for wire, found in zip(self.values, records.read("thing", made.ids[:-1]), strict=True):
            assert found["value"] == normal(wire)
            assert field.type.to_wire(found["value"], field.properties) == field.type.to_wire(
                normal(wire), field.properties)
        assert records.read("thing", [made.ids[-1]])[0]["value"] is None

    def test_what_does_not_fit_is_refused_with_a_sentence(self, made: Made, records: Records) -> None:
        for wire, code in self.bad:
            with pytest.raises(Invalid) as refused:
                records.create("thing", self._read(made.system, [{"value": wire}]))
            problem = refused.value.problems[0]
            assert (problem.field, problem.code) == ("value", code), wire
            chinese = text_of("zh_CN")(problem.message)
            assert chinese != problem.message, f"not translated: {problem.message}"
            assert chinese.format(**dict(problem.params))

    def test_what_people_type_and_files_hold_is_read(self, field: Any, normal: Callable[[Any], Any]) -> None:
        for text, wire, *language in self.typed:
            locale = Locale(language[0] if language else "en", "UTC")
            assert field.type.parse(text, field.properties, locale) == normal(wire), text
        for text, code in self.mistyped:
            with pytest.raises(BadValue) as refused:
                field.type.parse(text, field.properties, EN)
            assert refused.value.code == code, text

    def test_an_exported_value_is_imported_as_it_was(self, field: Any, normal: Callable[[Any], Any]) -> None:
        for wire in self.values:
            plain = field.type.plain(normal(wire), field.properties)
            text = plain.isoformat() if isinstance(plain, (date, datetime)) else str(plain)
            assert field.type.parse(text, field.properties, EN) == normal(wire), text
        assert field.type.plain(None, field.properties) is None

    def test_it_is_written_for_people(self, field: Any, normal: Callable[[Any], Any]) -> None:
        assert field.type.format(None, field.properties, EN) == ""
        for wire, text, *language in self.shown:
            locale = Locale(language[0] if language else "en", "Europe/Berlin")
            assert field.type.format(normal(wire), field.properties, locale).replace("\u202f", " ") == text

    @pytest.mark.parametrize("down", [False, True])
    def test_lists_are_sorted_with_empty_values_last_page_after_page(self, made: Made, records: Records,
                                                                    down: bool) -> None:
        if not self.sorts:
            with pytest.raises(Exception, match="cannot be sorted"):
                records.page("thing", ["label"], order=["value"])
            return
        wanted = [*(reversed(made.ids[:-1]) if down else made.ids[:-1]), made.ids[-1]]
        found, after = [], None
        for _ in range(len(wanted) + 1):
            page = records.page("thing", ["label"], order=["-value" if down else "value"], limit=2, after=after)
            found += [record["id"] for record in page.records]
            after = page.next
            if after is None:
                break
        assert found == wanted

    def test_searches_find_it(self, made: Made, records: Records) -> None:
        for text, numbers in self.found:
            page = records.page("thing", ["label"], search=text)
            assert {record["id"] for record in page.records} == {made.ids[n] for n in numbers}, text

    def test_conditions_give_the_same_in_both_languages(self, made: Made, records: Records) -> None:
        everything = records.read("thing", made.ids)
        for source, numbers in self.where:
            wanted = {made.ids[n] for n in numbers}
            page = records.page("thing", ["label"], source, limit=100)
            assert {record["id"] for record in page.records} == wanted, source
            expression = check(source, made.system.model.scope("thing"), "boolean")
            assert {record["id"] for record in everything
                    if expression.evaluate(record, records.session.environment) is True} == wanted, source

    def test_a_filter_by_a_value_finds_it(self, made: Made, records: Records, field: Any,
                                          normal: Callable[[Any], Any]) -> None:
        if not self.sorts:
            return
        for number, wire in enumerate(self.values):
            page = records.page("thing", ["label"], filters={"value": normal(wire)})
            assert made.ids[number] in {record["id"] for record in page.records}

    def test_a_page_shows_it_and_a_form_brings_it_back(self, made: Made, records: Records, viewer: Viewer,
                                                       normal: Callable[[Any], Any]) -> None:
        for language in ("en", "zh_CN"):
            bound = bind(made.system, "thing", "value", language)
            assert bound is not None
            widget = widget_of(made.system, bound.field)
            for record in records.read("thing", made.ids):
                assert isinstance(widget.read(bound)(record, viewer), Markup)
                assert isinstance(widget.cell(bound)(record, viewer), Markup)
                entry = widget.entry(bound, record, viewer)
                html = widget.edit(bound)(entry, Control("value", "f-value"), viewer)
                back = widget.posted(bound, posted(html), "value") or Entry()
                assert widget.value(bound, back, viewer) == record["value"]
        for wire, part in self.page:
            bound = bind(made.system, "thing", "value", "en")
            assert bound is not None
            drawn = widget_of(made.system, bound.field).read(bound)({"id": 1, "value": normal(wire)}, viewer)
            assert part in drawn

    @pytest.fixture
    def viewer(self) -> Viewer:
        return Viewer(EN, text_of("en"), date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC))

    def test_history_tells_both_values_in_wire_form(self, made: Made, records: Records, field: Any,
                                                    normal: Callable[[Any], Any]) -> None:
        first, last = normal(self.values[0]), normal(self.values[-1])
        version = records.read("thing", [made.ids[0]])[0]["_version"]
        records.update("thing", [{"id": made.ids[0], "_version": version, "value": last}])
        change = records.history("thing", made.ids[0])[0]
        wires = tuple(field.type.to_wire(value, field.properties) for value in (first, last))
        assert tuple(change.fields["value"]) == wires
        again = records.read("thing", [made.ids[0]])[0]
        records.update("thing", [{"id": made.ids[0], "_version": again["_version"], "value": last}])
        assert records.read("thing", [made.ids[0]])[0]["_version"] == again["_version"]      # nothing changed
        records.update("thing", [{"id": made.ids[0], "_version": again["_version"], "value": None}])
        assert records.read("thing", [made.ids[0]])[0]["value"] is None

    def test_a_default_is_what_a_new_record_begins_with(self, made: Made, records: Records) -> None:
        if self.given is not None:
            field = made.system.model.tables["thing"].fields["given"]
            [id_] = records.create("thing", [{"label": "new"}])
            assert records.read("thing", [id_])[0]["given"] == field.default
            assert field.default is not None


def posted(html: str) -> Posted:
    """What a browser sends of a control."""
    reader = Inputs()
    reader.feed(f"<form>{html}</form>")
    return Posted(MultiDict(reader.forms[0][1]), MultiDict())
