"""Relations in files that are imported: by id, or by a field of the table, of whichever of several has the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ed import mapping as mappings
from core.ed import table_file
from core.ed.importing import Import, Result
from core.errors import Refused
from tests.small_system import Small


def load(small: Small, folder: Path, table: str, content: str, mapping: str = "") -> Result:
    file = table_file.read(content.encode(), "rows.csv")
    if mapping:
        read = mappings.load(mapping.encode(), "map.yaml")
    else:
        with small.session() as session:
            read = mappings.plain(session.system.model.tables[table], file.header, ())
    return Import(lambda: small.session("ada", "import"), table, file, read, folder, 100).run()


def test_a_link_to_several_tables_is_found_by_name(small: Small, tmp_path: Path) -> None:
    ids = [small.create("firm", name="Import firm"), small.create("employee", name="Import one")]
    result = load(small, tmp_path, "event", "name,recipient.name\nimported a,Import firm\nimported b,Import one\n"
                                            "imported c,Nobody\nimported d,\n")
    assert (result.created, result.failed) == (3, 1)
    found = small.all("event", "name in ['imported a', 'imported b', 'imported d']", ("recipient",))
    assert [(one["recipient"], one["recipient_table"]) for one in found] == [
        (ids[0], "party"), (ids[1], "employee"), (None, None)]
    assert result.errors and "there is no party or employee with name" in result.errors.read_text(encoding="utf-8-sig")


def test_a_name_that_two_tables_have_is_told(small: Small, tmp_path: Path) -> None:
    small.create("firm", name="Twice"), small.create("employee", name="Twice")
    result = load(small, tmp_path, "event", "name,recipient.name\nimported twice,Twice\n")
    assert result.failed == 1 and result.errors
    assert "there are 2 records of party or employee" in result.errors.read_text(encoding="utf-8-sig")


def test_links_come_by_id_and_open_ones_too(small: Small, tmp_path: Path) -> None:
    firm = small.create("firm", name="By id")
    result = load(small, tmp_path, "event", f"name,recipient,subject\nby id,{firm},{firm}\nbad,{firm},99999999\n")
    assert (result.created, result.failed) == (1, 1)
    (found,) = small.all("event", "name == 'by id'", ("recipient", "subject"))
    assert (found["recipient_table"], found["subject_table"]) == ("party", "firm")


def test_links_through_a_table_are_imported(small: Small, tmp_path: Path) -> None:
    ids = [small.create("person", name=f"Import {name}") for name in ("Pia", "Pit")]
    mapping = "import: firm\nfields:\n  name: name\n  people: {column: people, by: name, split: ';'}\n"
    result = load(small, tmp_path, "firm", "name,people\nImported firm,Import Pia;Import Pit\n", mapping)
    assert (result.created, result.failed) == (1, 0)
    (found,) = small.all("firm", "name == 'Imported firm'", ("people",))
    assert found["people"] == ids
    mapping = mapping.replace("import: firm", "import: firm\nmatch: [name]")
    result = load(small, tmp_path, "firm", "name,people\nImported firm,Import Pit\n", mapping)
    assert result.updated == 1 and small.all("firm", "name == 'Imported firm'", ("people",))[0]["people"] == ids[1:]


@pytest.mark.parametrize("field, said", [
    ("{column: recipient, by: wage}", "is not a text field of party or employee"),
    ("{column: recipient, by: name, unknown: create}", "cannot know of which table"),
    ("{column: recipient, by: name, add: true}", "are for fields that hold several"),
])
def test_what_a_mapping_cannot_ask(small: Small, tmp_path: Path, field: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        load(small, tmp_path, "event", "name,recipient\nx,y\n",
             f"import: event\nfields: {{name: name, recipient: {field}}}\n")
