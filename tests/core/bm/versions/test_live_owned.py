"""What people own in live is in no version: promotions neither change nor remove it (requirement 11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from core.bm import service
from core.bm.versions import live
from core.ed import setting as settings
from core.ed.session import Principals
from core.plugins import Plugins
from core.settings import Settings
from tests.small_system import Small, small_system

OPEN = "choices: tone\nopen_in_live: true\nvalues: {warm: {title: Warm}, cold: {title: Cold}}\n"
MORE = {
    "choices/tone.yaml": OPEN,
    "tables/note.yaml": "table: note\ntitle: Note\nplural: Notes\ndisplay: \"{name}\"\nfields:\n  name: {type: text}\n"
                        "  tone: {type: choice, of: tone}\n",
    "settings/greeting.yaml": "setting: greeting\ntitle: Greeting\ntype: text\ndefault: Hello\n",
    "roles/guest.yaml": "role: guest\ntitle: Guest\ngrants: {company: {read: true}}\n",
}


@pytest.fixture
def small(database_of_test: Settings, tmp_path: Path) -> Iterator[Small]:
    with small_system(database_of_test, tmp_path, MORE) as system:
        yield system


def promote(small: Small, **files: str | None) -> None:
    """A new release of the addon goes live: files by name, with __ for / and without .yaml; None: removed."""
    for name, content in files.items():
        path = small.settings.addons[0] / "deals" / f"{name.replace('__', '/')}.yaml"
        path.unlink() if content is None else path.write_text(content)
    service.promote_folder(small.settings, small.owner, plugins=Plugins())


def roles(small: Small, user: int) -> frozenset[str]:
    with small.owner.connect() as connection:
        version, epoch = live.current(connection)
        system = live.system(connection, version, Plugins())
        return Principals.load(connection, system, user, epoch).roles


def test_assignments_of_a_role_outlive_it_and_count_again_when_it_returns(small: Small) -> None:
    guest = small.create("user", name="Gus")
    small.create("role_assignment", user=guest, role="guest")
    assert roles(small, guest) == {"guest"}
    promote(small, roles__guest=None)
    assert roles(small, guest) == frozenset()                           # the role is gone, and with it every right
    column = small.sql("select p.table_name from sys.physical p join bm.member m on m.id = p.id"
                       " where m.path = 'role_assignment' and p.column_name is null")[0][0]
    assert small.sql(f"select count(*) from ed.{column}") == [(4,)]     # the assignment is its people's
    promote(small, roles__guest=MORE["roles/guest.yaml"])
    assert roles(small, guest) == {"guest"}


def test_requirement_11_assignments_made_in_live_outlive_any_promotion_and_the_way_back(small: Small) -> None:
    small.create("role_assignment", user=small.users["bob"], role="administrator")
    promote(small, choices__tone=OPEN.replace("Warm", "Very warm"))
    assert roles(small, small.users["bob"]) == {"seller", "administrator"}
    service.rollback_to(small.settings, small.owner, 1, plugins=Plugins())
    assert roles(small, small.users["bob"]) == {"seller", "administrator"}


def test_the_value_of_a_setting_is_lives_own(small: Small) -> None:
    with small.session() as session:
        settings.change(session, "greeting", "Servus")
    promote(small, settings__greeting=MORE["settings/greeting.yaml"].replace("Hello", "Good day"))
    with small.owner.connect() as connection:
        assert settings.kept(connection)["setting.greeting"] == "Servus"
    promote(small, settings__greeting=None)
    promote(small, settings__greeting=MORE["settings/greeting.yaml"])
    with small.owner.connect() as connection:
        assert settings.kept(connection)["setting.greeting"] == "Servus"


def test_values_that_live_alone_knows_stay_in_open_choices(small: Small) -> None:
    note = small.create("note", name="A", tone="warm")
    [[table, column]] = small.sql("select p.table_name, p.column_name from sys.physical p join bm.member m on m.id = p.id"
                                  " where m.path = 'note.tone' and p.part = ''")
    with small.owner.begin() as connection:
        connection.execute(text(f"update ed.{table} set {column} = 'sour' where id = {note}"))
    promote(small, choices__tone=OPEN.replace("cold: {title: Cold}", "cold: {title: Colder}, fresh: {title: Fresh}"))
    small.systems = type(small.systems)(small.engine, Plugins())
    assert small.read("note", note)["tone"] == "sour"


def test_requirement_11_saved_views_stay_with_their_people(small: Small) -> None:
    with small.owner.begin() as connection:
        connection.execute(text("insert into sys.saved_view (object, title, owner, role, state) values"
                                " ('nothing_there', 'Mine', 1, 'guest', '{\"columns\": [\"gone\"]}')"))
    before = small.sql("select * from sys.saved_view")
    promote(small, roles__guest=None, choices__tone=OPEN.replace("Warm", "Hot"))
    assert small.sql("select * from sys.saved_view") == before
