"""Backup and restore: everything comes back as it was at one moment, into an empty place, or nothing does."""

from __future__ import annotations

import io
import itertools
import os
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from psycopg2 import sql
from sqlalchemy import Engine, text

from core import secrets
from core.bm import restoring, service
from core.bm.archive import verify
from core.bm.backup import LEFT_OUT, backup
from core.bm.follow import Systems
from core.bm.restoring import MARKER, restore
from core.database import address, copying
from core.database import engine as engines
from core.ed.files import FileStore, Upload
from core.errors import Refused
from core.plugins import Plugins
from core.settings import Settings
from core.web.application import Application
from tests import databases
from tests.core.web.site import Browser, Site, sample_site

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with sample_site(database, tmp_path_factory.mktemp("web")) as found:
        (found.settings.metadata / "tables" / "company.yaml").write_text(
            "change: table company\nfields: {motto: {type: text}}\n")
        service.promote_folder(found.settings, found.owner, message="a field", plugins=Plugins())
        company = found.create("company", name="Acme", owner=found.users["sam"], motto="parked")
        (found.settings.metadata / "tables" / "company.yaml").unlink()
        service.promote_folder(found.settings, found.owner, message="and none", plugins=Plugins())
        found.update("company", company, name="Ächme \\N \"quoted\"")
        for number in range(3):
            keep(found, f"file {number}".encode())
        with found.owner.begin() as connection:
            connection.execute(text("insert into sys.token (hash, account_id, name) select 'x', min(id), 't' from sys.account"))
        yield found


def keep(site: Site, content: bytes) -> int:
    with site.records() as records:
        records.session.files = FileStore(site.settings.home / "files")
        return records.create("specimen", [{"a_text": "with a file", "a_file": Upload("a.txt", content)}])[0]


@pytest.fixture
def place(server: Settings, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """An empty home and an empty database."""
    with empty_place(server, site, tmp_path_factory.mktemp("place")) as settings:
        yield settings


@contextmanager
def empty_place(server: Settings, site: Site, home: Path) -> Iterator[Settings]:
    name = f"restored_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_{next(NUMBERS)}"
    databases.run(server, sql.SQL("create database {}").format(sql.Identifier(name)))
    secrets.write(home / "secrets.yaml", {
        "database_app_password": secrets.secret(server.home, "database_app_password")})
    url = address.url(server, "owner").set(database=name)
    yield site.settings.model_copy(update={"home": home, "database": url.render_as_string(hide_password=False)})
    databases.drop(server, name)


@contextmanager
def owner_of(place: Settings) -> Iterator[Engine]:
    pool = engines.open(place, "owner")
    try:
        yield pool
    finally:
        pool.dispose()


def bring_back(place: Settings, file: Path) -> None:
    with owner_of(place) as engine:
        restore(engine, place.home, file, Plugins())


def digests(engine: Engine) -> dict[str, str]:
    found = {}
    with engine.connect() as connection:
        driver = connection.connection.cursor()
        for name, columns in copying.tables(connection).items():
            if name not in LEFT_OUT:
                wanted = sql.SQL(", ").join(map(sql.Identifier, sorted(columns)))
                driver.execute(sql.SQL("select count(*), md5(string_agg(t::text, '|' order by t::text)) from"
                                       " (select {} from {}) t").format(wanted, sql.Identifier(*name.split("."))))
                found[name] = str(driver.fetchone())
    return found


def catalog(engine: Engine) -> set[tuple[Any, ...]]:
    """Columns, indexes and constraints of all tables, whatever the order in which they came."""
    with engine.connect() as connection:
        return {tuple(row) for statement in (
            "select table_schema, table_name, column_name, data_type, is_nullable, column_default"
            " from information_schema.columns where table_schema in ('sys', 'bm', 'ed', 'jobs')",
            "select schemaname, tablename, indexname, indexdef from pg_indexes where schemaname in ('sys', 'bm', 'ed', 'jobs')",
            "select conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated from pg_constraint"
            " where connamespace in ('sys'::regnamespace, 'bm'::regnamespace, 'ed'::regnamespace, 'jobs'::regnamespace)"
            " and contype <> 'n'",
        ) for row in connection.execute(text(statement))}


def stored(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "files").rglob("*") if path.is_file() and path.name != "lock"}


def is_empty(place: Settings) -> bool:
    with owner_of(place) as engine, engine.connect() as connection:
        tables = copying.tables(connection)
    return not tables and not stored(place.home) and not (place.home / MARKER).exists()


def test_past_case_52_everything_comes_back_and_the_application_starts_on_it(site: Site, place: Settings, tmp_path: Path) -> None:
    done = backup(site.owner, site.settings.home, tmp_path / "all.tessera")
    assert done.files == 3 and (tmp_path / "all.tessera").stat().st_mode & 0o077 == 0
    bring_back(place, tmp_path / "all.tessera")
    with owner_of(place) as engine:
        assert digests(engine) == digests(site.owner)
        assert catalog(engine) == catalog(site.owner)
        with engine.connect() as connection:
            assert copying.sequences(connection).items() >= {
                name: value for name, value in _sequences(site).items() if name.startswith(("ed.", "bm."))}.items()
            assert connection.scalar(text("select count(*) from sys.token")) == 0
            assert connection.scalar(text("select count(*) from sys.session")) == 0
    assert stored(place.home) == stored(site.settings.home) and not (place.home / MARKER).exists()
    pool = engines.open(place, "app")
    systems = Systems(pool, Plugins())
    with owner_of(place) as engine:
        there = Site(place, engine, pool, systems, Application(place, pool, systems), site.users)
        browser = Browser(there)
        browser.sign_in("ada")                              # with the password of before
        browser.get("/companies")
        assert "Ächme" in browser.words
        assert there.create("company", name="Next", owner=site.users["sam"]) not in _ids(site)
    pool.dispose()


def _sequences(site: Site) -> dict[str, tuple[int, bool]]:
    with site.owner.connect() as connection:
        return copying.sequences(connection)


def _ids(site: Site) -> set[int]:
    with site.owner.connect() as connection:
        return set(connection.scalars(text("select record_id from sys.history")))


def test_fault_33_a_backup_under_load_has_one_moment_and_no_row_without_its_file(
        site: Site, place: Settings, tmp_path: Path) -> None:
    stop = threading.Event()
    made: list[int] = []

    def work() -> None:
        while not stop.is_set():
            number = len(made)
            made.append(keep(site, b"under load %d" % number))
            with site.owner.begin() as connection:
                FileStore(site.settings.home / "files").collect(connection, grace=0)
    worker = threading.Thread(target=work)
    worker.start()
    try:
        while len(made) < 5:
            stop.wait(0.01)
        backup(site.owner, site.settings.home, tmp_path / "loaded.tessera")
    finally:
        stop.set()
        worker.join()
    bring_back(place, tmp_path / "loaded.tessera")
    with owner_of(place) as engine, engine.connect() as connection:
        hashes = set(connection.scalars(text("select hash from sys.file")))
        assert hashes == set(stored(place.home))
        kept = connection.scalar(text("select count(*) from sys.file where record_id is not null"))
        table = connection.scalar(text("select table_name from sys.physical where column_name is null"
                                       " and table_name like 'specimen%'"))
        rows = connection.scalar(text(f'select count(*) from ed."{table}"'))
        assert kept == rows == len(hashes) >= 8                     # of each record all or nothing


def test_only_an_empty_place_is_filled(site: Site, place: Settings, tmp_path: Path) -> None:
    file = tmp_path / "all.tessera"
    backup(site.owner, site.settings.home, file)
    with pytest.raises(Refused, match="overwrites nothing"):
        backup(site.owner, site.settings.home, file)
    FileStore(place.home / "files").put(b"something of theirs")
    with pytest.raises(Refused, match="is not empty"):
        bring_back(place, file)
    assert len(stored(place.home)) == 1
    with pytest.raises(Refused, match="is not empty"):
        restore(site.owner, site.settings.home, file, Plugins())


def test_a_restore_that_breaks_off_leaves_nothing_and_is_simply_run_again(
        site: Site, place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "all.tessera"
    backup(site.owner, site.settings.home, file)
    for name in ("_check_files", "_move"):
        with monkeypatch.context() as patch:
            def stopped(*_: object) -> None:
                raise KeyboardInterrupt
            patch.setattr(restoring, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                bring_back(place, file)
        assert is_empty(place)
    (place.home / MARKER).write_text("killed")              # SIGKILL: between the move of the files and the commit
    FileStore(place.home / "files").put(b"half")
    bring_back(place, file)
    assert stored(place.home) == stored(site.settings.home)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_half_a_backup_is_none(site: Site, place: Settings, tmp_path: Path, cut: float) -> None:
    file = tmp_path / "all.tessera"
    backup(site.owner, site.settings.home, file)
    content = file.read_bytes()
    file.write_bytes(content[:int(len(content.rstrip(b"\0")) * cut)])
    with pytest.raises(Refused, match=r"not whole|no backup"):
        bring_back(place, file)
    assert is_empty(place)


def test_a_changed_byte_is_noticed_before_anything_is_written(site: Site, place: Settings, tmp_path: Path) -> None:
    file = tmp_path / "all.tessera"
    backup(site.owner, site.settings.home, file)
    whole = file.read_bytes()
    for found in (whole.index(b"file 1"), whole.index("Ächme".encode()), whole.index(b'"sequences"')):
        file.write_bytes(whole[:found + 2] + bytes([whole[found + 2] ^ 1]) + whole[found + 3:])
        with pytest.raises(Refused):
            bring_back(place, file)
        assert is_empty(place)


def hostile(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"x", link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for one, data, type_ in (("tessera.json", b'{"format": 1, "steps": [1]}', tarfile.REGTYPE), (name, content, kind)):
            info = tarfile.TarInfo(one)
            info.type, info.linkname = type_, link if type_ == kind else ""
            info.size = len(data) if type_ == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("content", [
    hostile("../evil"), hostile("/etc/passwd"), hostile("files/../../evil"), hostile("files/" + "A" * 64),
    hostile("files/" + "a" * 64, tarfile.SYMTYPE, link="/etc/passwd"), hostile("files/" + "a" * 64, tarfile.LNKTYPE, link="x"),
    hostile("files/x", tarfile.DIRTYPE), hostile("dev", tarfile.CHRTYPE), hostile("tables/pg_catalog.pg_authid/00000000"),
    hostile("tables/ed.x/00000001"), hostile("tessera.json"), hostile("x" * 5000), hostile("code.py"),
    hostile("files/" + "a" * 64), hostile("manifest.json", content=b"[" * 100_000), hostile("manifest.json", content=b"{}"),
    hostile("tables/ed.x; drop table y/00000000"), b"", b"no tar at all" * 100, b"\0" * 4096,
], ids=range(20))
def test_past_case_33_an_archive_of_somebody_else_is_refused(content: bytes, place: Settings, tmp_path: Path) -> None:
    (tmp_path / "evil.tessera").write_bytes(content)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(Refused):
        bring_back(place, tmp_path / "evil.tessera")
    assert is_empty(place) and set(tmp_path.rglob("*")) == before


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch, site: Site, tmp_path: Path) -> None:
    backup(site.owner, site.settings.home, tmp_path / "all.tessera")
    monkeypatch.setattr("core.bm.archive.MOST_MEMBERS", 10)
    with (tmp_path / "all.tessera").open("rb") as file, pytest.raises(Refused, match="too many"):
        verify(file)


def test_a_stored_file_that_is_not_what_it_was_stops_the_backup(site: Site, tmp_path: Path) -> None:
    store = FileStore(site.settings.home / "files")
    path = next(path for path in store.root.rglob("*") if len(path.name) == 64)
    good = path.read_bytes()
    try:
        path.write_bytes(b"x" * len(good))
        with pytest.raises(Refused, match="damaged"):
            backup(site.owner, site.settings.home, tmp_path / "bad.tessera")
    finally:
        path.write_bytes(good)
    assert list(tmp_path.iterdir()) == []
