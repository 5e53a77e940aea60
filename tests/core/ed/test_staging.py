"""Uploads before their record: only their uploader's, used once; files stay consistent when the disk is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from core.ed import staging
from core.ed.files import FileStore, Upload, digest, open_file
from core.errors import BadRequest, Invalid, NoSpace
from core.settings import Settings
from tests.fixtures.writing import World, writing_world


@pytest.fixture(scope="module")
def world(engine: Engine, app_engine: Engine, database: Settings) -> World:
    return writing_world(engine, app_engine, database.home)


def staged(world: World, user: str = "sue", content: bytes = b"An offer") -> int:
    with world.records(user) as records:
        return staging.stage(records.session, Upload("offer.txt", content)).id


def test_an_upload_waits_for_its_record_and_is_linked_by_its_id(world: World) -> None:
    file = staged(world)
    with world.records("sue") as records:
        [id_] = records.create("deal", [{"name": "linked", "paper": file}])
        found = open_file(records.session, "deal", id_, "paper")
        with found.content as content:
            assert (found.name, found.type, content.read()) == ("offer.txt", "text/plain", b"An offer")


def test_past_case_30_a_staged_file_is_its_uploaders_alone_and_used_once(world: World, unchanged) -> None:
    file = staged(world)
    with unchanged(), pytest.raises(Invalid) as error, world.records("ada") as records:
        records.create("deal", [{"name": "thief", "paper": file}])
    assert [(p.field, p.code) for p in error.value.problems] == [("paper", "file")]
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": n, "paper": file} for n in "ab"])
    with world.records("sue") as records:
        records.create("deal", [{"name": "first", "paper": file}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "second", "paper": file}])


@pytest.mark.parametrize("value", [
    "../../etc/passwd", {"hash": "a" * 64}, {"source": "x"}, True, -1, 2**64, 1.5, [1], "1"])
def test_past_case_30_nothing_but_an_id_of_ones_own_points_to_a_file(world: World, unchanged, value: object) -> None:
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.create("deal", [{"name": "x", "paper": value}])


def test_what_the_field_does_not_take_is_not_taken_staged_either(world: World, unchanged) -> None:
    for content, code in ((b"x" * 1001, "size"), (b"\x89PNG\r\n\x1a\n", "accept")):
        file = staged(world, content=content)
        with unchanged(), pytest.raises(Invalid) as error, world.records("sue") as records:
            records.create("deal", [{"name": "x", "paper": file}])
        assert [p.code for p in error.value.problems] == [code]


def test_a_former_file_comes_back_into_its_own_field_only(world: World, unchanged) -> None:
    with world.records("sue") as records:
        one, two = records.create("deal", [{"name": n, "paper": Upload(n, n.encode())} for n in ("one", "two")])
        first = records.read("deal", [one], ["paper"])[0]["paper"]
        records.update("deal", [{"id": one, "paper": Upload("new", b"new")}])
    with unchanged(), pytest.raises(Invalid), world.records("sue") as records:
        records.update("deal", [{"id": two, "paper": first.id}])
    with world.records("sue") as records:
        records.update("deal", [{"id": one, "paper": first.id}])
        assert records.read("deal", [one], ["paper"])[0]["paper"].id == first.id


def test_row_71_an_empty_upload_and_too_much_that_waits_are_refused(world: World, unchanged,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    with unchanged(), pytest.raises(Invalid):
        staged(world, content=b"")
    monkeypatch.setattr(staging, "MOST_STAGED", 10)
    with unchanged(), pytest.raises(BadRequest):
        staged(world, content=b"more than ten bytes")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_fault_15_a_full_or_broken_disk_leaves_no_row_and_no_half_file(
        world: World, unchanged, monkeypatch: pytest.MonkeyPatch, number: int, call: str) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))
    with monkeypatch.context() as patch, unchanged():
        patch.setattr(os, call, fail)
        with pytest.raises(NoSpace), world.records("sue") as records:
            records.create("deal", [{"name": "x", "paper": Upload("a", b"never kept %d" % number)}])
        with pytest.raises(NoSpace):
            staged(world, content=b"never kept either %d" % number)


def test_past_case_51_what_is_staged_goes_after_a_day_and_its_bytes_with_it(world: World, engine: Engine) -> None:
    store = FileStore(world.home / "files")
    lost, young = staged(world, content=b"forgotten"), staged(world, content=b"just now")
    with engine.begin() as connection:
        connection.execute(text("update sys.file set created_on = now() - interval '25 hours' where id = :id"), {"id": lost})
    os.utime(store.path(digest(b"forgotten")), (0, 0))
    with world.engine.begin() as connection:
        assert store.collect(connection) == 0                   # its row is still there
        assert staging.forget_staged(connection) == 1
        assert store.collect(connection) == 1
        assert connection.scalar(text("select count(*) from sys.file where id = :id"), {"id": young}) == 1


def test_nothing_is_collected_while_a_backup_reads_the_files(world: World, tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    os.utime(store.path(store.put(b"unlinked")), (0, 0))
    with world.engine.begin() as connection:
        with store.kept():
            assert store.collect(connection) == 0
        assert store.collect(connection) == 1
