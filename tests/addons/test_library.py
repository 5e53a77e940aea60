"""The addon of the tutorial: it keeps what every addon has to keep, uses every kind, and its queries give right answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from core.bm import service
from core.bm.versions import live
from core.cli.init import initialise
from core.conformance import AddonConformance
from core.definition import Loaded, load
from core.definition.kinds import BUILT_IN
from core.ed import query as queries
from core.ed.records import Records
from core.ed.session import Principals, Session
from core.errors import Invalid
from core.plugins import Plugins
from core.settings import ROOT, Settings
from tests.databases import fresh_database

TUTORIAL = ROOT / "docs/tutorial/library"
ADDONS = (ROOT / "addons", TUTORIAL / "addon")
As = Callable[[str], Session]


class TestLibrary(AddonConformance):
    addon, languages = TUTORIAL / "addon/library", ("en", "zh_CN")


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """The addon under the site of the tutorial."""
    return load(list(ADDONS), TUTORIAL / "site", Plugins.load(list(ADDONS)))


def test_the_addon_and_the_site_have_no_problem(loaded: Loaded) -> None:
    assert (loaded.problems, [layer.name for layer in loaded.layers]) == ((), ["base", "library", "site"])


def test_every_kind_that_exists_is_used(loaded: Loaded) -> None:
    used = {definition.kind for layer in loaded.layers if layer.name != "base" for definition in layer.definitions}
    assert used == {kind.name for kind in BUILT_IN}


def test_the_site_changes_what_the_addon_ships(loaded: Loaded) -> None:
    model = loaded.must()
    member = model.tables["member"]
    assert model.settings["loan_days"].default == 21
    assert list(member.fields).index("card_until") == list(member.fields).index("joined") + 1
    assert "reached" not in member.rules and "card" in member.rules
    assert [model.text("table branch.title", language) for language in ("en", "zh_CN")] == ["House", "馆舍"]
    assert [model.text("table loan.title", language) for language in ("en", "zh_CN")] == ["Loan", "借阅"]


@pytest.fixture(scope="module")
def demo(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Plugins]]:
    """A demo system in a fresh home, with the site of the tutorial."""
    site = tmp_path_factory.mktemp("library") / "site"
    shutil.copytree(TUTORIAL / "site", site)
    settings = database.model_copy(update={"metadata": site, "addons": ADDONS[1:]})
    with service.owner(settings) as engine:
        initialise(settings, engine, demo=True)
        yield engine, service.load_plugins(settings)


@pytest.fixture
def system(demo: tuple[Engine, Plugins]) -> Iterator[As]:
    """Opens the sessions of logins; nothing that a test does there is kept."""
    engine, plugins = demo
    with engine.connect() as connection, connection.begin() as transaction:
        version, epoch = live.current(connection)
        built = live.system(connection, version, plugins)

        def session(login: str) -> Session:
            user = connection.execute(text("select user_id from sys.account where login = :login"),
                                      {"login": login}).scalar_one()
            return Session.open(built, connection, Principals.load(connection, built, user, epoch))
        yield session
        transaction.rollback()


def rows(session: Session, name: str, *columns: str, **given: object) -> list[tuple[Any, ...]]:
    """What a query gives, of these columns."""
    result = queries.run(session, name, given, limit=100, offset=0)
    return [tuple(row.get(f"{column}_title", row[column]) for column in columns) for row in result.rows]


def months_ago(session: Session, count: int) -> date:
    """The first day of a month before this one."""
    today = session.environment.today
    year, month = divmod(today.year * 12 + today.month - 1 - count, 12)
    return date(year, month + 1, 1)


def found(session: Session, table: str, name: str) -> int:
    """The id of a record by words of its title."""
    records = Records(session).page(table, ["_title"], limit=100).records
    return next(int(record["id"]) for record in records if name in record["_title"])


def test_what_is_overdue(system: As) -> None:
    session = system("jonas")
    main, east = found(session, "branch", "Main library"), found(session, "branch", "Library East")
    assert rows(session, "overdue_loans", "copy", "state") == [
        ("C001005: 红楼梦", "overdue"), ("C001009: Ran", "overdue")]
    assert rows(session, "overdue_loans", "copy", branch=main) == [("C001005: 红楼梦",)]
    assert rows(session, "overdue_loans", "copy", branch=east, days=3) == [("C001009: Ran",)]
    assert rows(session, "overdue_loans", "copy", days=1000) == []


def test_loans_are_counted_by_month(system: As) -> None:
    session = system("jonas")
    assert rows(session, "loans_by_month", "month", "loans", "members", "back", "late", "share") == [
        (months_ago(session, 3), 2, 2, 2, 1, Decimal(50)), (months_ago(session, 2), 4, 2, 2, 3, Decimal(75)),
        (months_ago(session, 1), 1, 1, 0, 1, Decimal(100)), (months_ago(session, 0), 1, 1, 0, 0, Decimal(0))]
    totals = queries.run(session, "loans_by_month").totals
    assert (totals["loans"], totals["back"], totals["late"]) == (8, 4, 5)


def test_what_is_charged_and_what_is_paid_stand_below_each_other(system: As) -> None:
    session = system("jonas")
    bruno, otto = found(session, "member", "Bruno Klein"), found(session, "member", "Otto Brandt")
    assert rows(session, "member_account", "reason", "charged", "paid", "owes", member=bruno) == [
        ("late", Decimal(2), Decimal(0), Decimal(2)), ("late", Decimal(0), Decimal(2), Decimal(0))]
    assert rows(session, "member_account", "reason", "charged", "owes", member=otto) == [
        ("lost", Decimal("8.5"), Decimal("8.5"))]


def test_a_query_reads_another_with_its_parameters(system: As) -> None:
    session, given = system("jonas"), {"least": 1, "since": date(2020, 1, 1)}
    assert rows(session, "favourites", "work", "loans", **given) == [
        ("Solaris", 3), ("Emma", 2), ("Pippi Longstocking", 1), ("Ran", 1), ("红楼梦", 1)]
    assert rows(session, "old_favourites", "work", "year", **given) == [
        ("红楼梦", 1791), ("Emma", 1815), ("Pippi Longstocking", 1945), ("Solaris", 1961)]
    assert rows(session, "favourites", "work", since=date(2020, 1, 1)) == [("Solaris",), ("Emma",)]


def test_readers_see_what_is_on_the_shelf_but_not_who_has_the_rest(system: As) -> None:
    staff, reader = system("jonas"), system("amelie")
    shelf = [("Emma",), ("Emma",), ("Ikiru",), ("Pippi Longstocking",), ("Solaris",)]
    assert rows(staff, "on_the_shelf", "work") == shelf
    assert rows(reader, "on_the_shelf", "work") == shelf
    assert rows(reader, "on_the_shelf", "work", title="MM") == [("Emma",), ("Emma",)]
    assert [row["copy_title"] for row in queries.run(reader, "overdue_loans").rows] == [
        "C001005: 红楼梦", "C001009: Ran"]
    assert rows(reader, "overdue_loans", "member") == [(None,), (None,)]
    assert rows(reader, "loans_by_month", "month", "loans") == [(months_ago(reader, 3), 1), (months_ago(reader, 0), 1)]
    assert rows(reader, "member_account", "charged", member=found(staff, "member", "Bruno Klein")) == []


def test_a_loan_is_due_when_the_setting_says_and_no_copy_is_lent_twice(system: As) -> None:
    session = system("jonas")
    records, today = Records(session), session.environment.today
    copy, member = found(session, "copy", "Ikiru"), found(session, "member", "王梅")
    (loan,) = records.create("loan", [{"copy": copy, "member": member}])
    due, state, phase = (records.read("loan", [loan], ["due", "state", "phase"])[0][name]
                         for name in ("due", "state", "phase"))
    assert (due, state, phase) == (today + timedelta(days=21), "lent", "open")
    with pytest.raises(Invalid, match="out already"):
        records.create("loan", [{"copy": copy, "member": member}])


def test_a_late_loan_costs_what_the_settings_say_up_to_the_most(system: As) -> None:
    session = system("jonas")
    records = Records(session)
    late = {row["copy_title"]: row for row in queries.run(session, "overdue_loans").rows}
    ran, dream = late["C001009: Ran"], late["C001005: 红楼梦"]
    assert ran["late_fee"] == min(Decimal(10), Decimal("0.2") * ran["days_late"])
    assert dream["late_fee"] == min(Decimal(10), Decimal("0.2") * dream["days_late"])
    (fine,) = records.create("fine", [{"loan": dream["_id"]}])
    (read,) = records.read("fine", [fine], ["amount", "member", "state"])
    assert (read["amount"], read["member"], read["state"]) == (dream["late_fee"], dream["member"], "open")


def test_what_the_tutorial_prints_is_what_happens(database_of_readme: Settings, tmp_path: Path) -> None:
    home, tool = tmp_path / "var/library/home", tmp_path / "bin/server.py"
    for folder in (home, tool.parent):
        folder.mkdir(parents=True)
    shutil.copy(database_of_readme.home / "secrets.yaml", home)
    tool.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/server.py "$@"\n')
    tool.chmod(0o755)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}",
                   "TESSERA_DATABASE": str(database_of_readme.database)}
    exports: list[str] = []
    for command, expected in commands((TUTORIAL / "README.md").read_text()):
        if command.startswith("export "):
            exports.append(command)
            continue
        ran = subprocess.run(["bash", "-c", "\n".join([*exports, command])], cwd=tmp_path, env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        said = ran.stdout.replace(f"{tmp_path}/", "")
        pattern = ".*".join(map(re.escape, expected.strip().split("...")))
        assert re.fullmatch(pattern, said.strip(), re.DOTALL), f"{command}\n{said}"


def commands(page: str) -> Iterator[tuple[str, str]]:
    """The commands of a page, each with what it prints; `...` is anything."""
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for each in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = each.partition("\n")
            yield command, expected


@pytest.fixture
def database_of_readme(server: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A database of its own for the commands of the tutorial."""
    with fresh_database(server, tmp_path_factory) as settings:
        yield settings
