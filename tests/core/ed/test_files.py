"""Files of records: stored by their bytes, only with their record, served only to who may read the field."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from core.ed import tables
from core.ed.files import FileStore, Upload, digest, label, open_file, sniff
from core.errors import Denied, Invalid, NotFound
from core.settings import Settings
from core.types.file import FileValue
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def stored_files(world: World) -> set[str]:
    root = world.home / "files"
    return {path.name for path in root.rglob("*") if path.is_file() and path.name != "lock"} if root.is_dir() else set()


@pytest.mark.parametrize(("content", "name", "kind"), [
    (b"\x89PNG\r\n\x1a\nxx", "a.txt", "image/png"),
    (b"%PDF-1.7 <script>", "page.html", "application/pdf"),
    (b"<svg onload='x'>", "x.png", "text/plain"),
    (b"<html><script>", "photo.jpg", "text/plain"),
    (b"a,b\n1,2", "list.CSV", "text/csv"),
    (b"PK\x03\x04rest", "book.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"PK\x03\x04rest", "book.pdf", "application/zip"),
    (b"MZ\x00\x01", "x.txt", "application/octet-stream"),
    (b"\xff\xfe\xfd" * 10, "x.txt", "application/octet-stream"),
    (b"GIF89a/*", "x.js", "image/gif"),
])
def test_past_case_35_the_bytes_say_what_a_file_is_not_its_name(content: bytes, name: str, kind: str) -> None:
    assert sniff(content, name) == kind


@pytest.mark.parametrize(("name", "shown"), [
    ("../../etc/passwd", "passwd"), ("C:\\a\\b.txt", "b.txt"), ("\u200b.htaccess", "htaccess"), ("", "file"),
    ("gnp\u202e.exe", "gnp.exe"), ("a\r\nSet-Cookie: x", "aSet-Cookie: x"), ("файл.pdf", "файл.pdf"), ("...", "file"),
    ("x" * 400 + ".pdf", "x" * 196 + ".pdf"), ("nul\0.txt", "nul.txt"),
])
def test_past_case_34_a_name_is_only_a_label(name: str, shown: str) -> None:
    assert label(name) == shown


def test_an_upload_is_stored_with_its_record_and_read_back(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "with paper", "paper": Upload("../offer.txt", b"An offer")}])
    assert digest(b"An offer") in stored_files(world)
    with world.records("sue") as records:
        file = open_file(records.session, "deal", id_, "paper")
        with file.content as content:
            assert (file.name, file.type, file.size, content.read()) == ("offer.txt", "text/plain", 8, b"An offer")


def test_past_case_30_the_field_may_be_saved_unchanged_or_emptied_but_not_pointed_elsewhere(world: World, unchanged) -> None:
    with world.records("sue") as records:
        one, two = records.create("deal", [{"name": n, "paper": Upload(n, n.encode())} for n in ("one", "two")])
        papers = {r["id"]: r["paper"] for r in records.read("deal", [one, two], ["paper"])}
        records.update("deal", [{"id": one, "paper": papers[one]}])
        records.update("deal", [{"id": one, "paper": papers[one].id}])
    for foreign in (papers[two], papers[two].id, FileValue(1), "/etc/passwd", {"hash": digest(b"two")}):
        with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
            records.update("deal", [{"id": one, "paper": foreign}])
        with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
            records.create("deal", [{"name": "thief", "paper": foreign}])
    with world.records("sue") as records:
        records.update("deal", [{"id": one, "paper": None}])
        assert records.read("deal", [one], ["paper"])[0]["paper"] is None
        with pytest.raises(NotFound):
            open_file(records.session, "deal", one, "paper")


@pytest.mark.parametrize(("upload", "code"), [
    (Upload("a", b""), "empty"), (Upload("a", b"x" * 1001), "size"), (Upload("a.txt", b"\x89PNG\r\n\x1a\n"), "accept"),
])
def test_what_the_field_does_not_take_is_refused(world: World, unchanged, upload: Upload, code: str) -> None:
    with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
        records.create("deal", [{"name": "x", "paper": upload}])
    assert [(p.field, p.code) for p in error.value.problems] == [("paper", code)]
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": Upload("n", b"a name"), "note": "n"}])


def test_past_case_8_a_refused_record_leaves_no_file(world: World, unchanged) -> None:
    with world.records() as records:
        [theirs] = records.create("deal", [{"name": "theirs", "owner": world["sam"]}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "x", "stage": "won", "paper": Upload("a", b"never kept")}])
    with unchanged(), pytest.raises(Denied), world.records("sue") as records:
        records.update("deal", [{"id": theirs, "paper": Upload("a", b"never kept")}])


def test_a_file_is_as_closed_as_its_record(world: World) -> None:
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "mine", "paper": Upload("a", b"mine")}])
    with world.records("max") as records:                            # Max may not read deals
        for table, field in (("deal", "paper"), ("customer", "paper"), ("deal", "name"), ("nothing", "paper")):
            with pytest.raises((NotFound, Denied)):
                open_file(records.session, table, id_, field)


def test_equal_bytes_are_stored_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert store.put(b"same") == store.put(b"same")
    assert len([p for p in tmp_path.rglob("*") if p.is_file() and p.name != "lock"]) == 1
    for name in ("../x", "a" * 63, "A" * 64, "/etc/passwd"):
        with pytest.raises(NotFound):
            store.open(name)


def test_collecting_takes_only_old_files_that_no_record_names(world: World) -> None:
    store = FileStore(world.home / "files")
    with world.records("sue") as records:
        records.create("deal", [{"name": "k", "paper": Upload("a", b"kept")}])
    lost, young = store.put(b"lost"), store.put(b"young")
    for name in (lost, digest(b"kept")):
        os.utime(store.path(name), (0, 0))
    with world.engine.begin() as connection:
        assert store.collect(connection) == 1
    assert lost not in stored_files(world) and {young, digest(b"kept")} <= stored_files(world)


def test_past_case_51_no_record_ever_points_to_nothing_while_files_are_collected(world: World) -> None:
    """Uploads, half of them rolled back, against a collector with no grace for anything but what is just stored."""
    store, stop = FileStore(world.home / "files"), threading.Event()
    chance = random.Random(7)

    def collect() -> None:
        while not stop.is_set():
            with world.engine.begin() as connection:
                store.collect(connection, grace=1)
    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for number in range(60):
            content = b"content %d" % (number % 7)
            if store.path(digest(content)).exists() and chance.random() < 0.5:
                os.utime(store.path(digest(content)), (0, 0))
            with pytest.raises(ZeroDivisionError) if number % 2 else world.records() as _:
                with world.records("sue") as records:
                    records.create("deal", [{"name": f"u{number}", "paper": Upload("a", content)}])
                    if number % 2:
                        raise ZeroDivisionError
    finally:
        stop.set()
        collector.join()
    with world.engine.begin() as connection:
        for name in connection.scalars(select(tables.file.c.hash)):
            with store.open(name) as content_file:
                assert digest(content_file.read()) == name
