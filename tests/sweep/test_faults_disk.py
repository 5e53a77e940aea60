"""Faults 14, 15, 30 and 33: a disk that is full, exports that are many, a backup of what is being worked on."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

import pytest

from core.database import embedded
from core.database import engine as engines
from core.ed.files import digest
from core.settings import Settings
from tests.scenarios.client import Answer, Person, Site
from tests.sweep.agreement import change, disagreements, query
from tests.sweep.people import Traffic
from tests.unchanged import digests

RECOVERS = 90.0             # seconds; far more than it takes
RSS = 300                   # megabytes of a worker


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of that size at the folder; only root can have one."""
    folder.mkdir(exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(folder)],
                          capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65_536)
    return ballast


def upload(person: Person, content: bytes) -> Answer:
    return person.ask("POST", "/api/v1/files?name=paper.bin", content, {"Content-Type": "application/octet-stream"})


def stored(site: Site) -> set[str]:
    return {path.name for path in (site.home / "files").rglob("*") if path.is_file() and path.name != "lock"}


def no_half_file(site: Site) -> None:
    """Every row has its file, every file is whole and has its name by what is in it."""
    rows = {row[0] for row in query(site.home, "select hash from sys.file")}
    assert rows <= stored(site)
    for path in (site.home / "files").glob("??/*"):
        assert digest(path.read_bytes()) == path.name


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a small disk of its own")
def test_fault_15_a_full_store_of_files_is_507_and_heals_by_itself(site: Site) -> None:
    person = site.person("admin")
    with small_disk(site.home / "files", 4):
        assert upload(person, b"fits").status == 201
        ballast = fill(site.home / "files")
        before = stored(site) - {"ballast"}
        rows = query(site.home, "select count(*) from sys.file")
        for number in range(4):
            answer = upload(person, os.urandom(1) * (300_000 + number))
            assert answer.status == 507 and answer.json()["request_id"], answer.text
            assert "no room" in answer.json()["detail"]
        assert stored(site) - {"ballast"} == before and query(site.home, "select count(*) from sys.file") == rows
        assert person.send("POST", "/api/v1/company", {"name": "Needs no file"}).status == 201
        ballast.unlink()
        assert upload(person, b"x" * 300_000).status == 201
        no_half_file(site)
    change(site.home, "delete from sys.file")         # that store is gone with its disk


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a small disk of its own")
def test_fault_14_a_full_disk_of_the_database_loses_nothing_that_was_acknowledged(
        tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("full")
    with small_disk(folder, 500):
        site = Site.make(folder)
        site.run("init", "--demo")
        site.serve(workers=2)
        try:
            person = site.person("admin")
            ballast = fill(folder)
            acknowledged, seen = write_until_refused(person)
            assert set(seen) <= {201, 503, 507} and seen[503] + seen[507] >= 3, seen
            ballast.unlink()
            end = time.monotonic() + RECOVERS
            while not (works(person) and works(person)):
                assert time.monotonic() < end, (site.home / "serve.log").read_text()[-2000:]
                time.sleep(0.3)
            there = {row[0] for row in query(site.home, "select record_id from sys.history where change is not null")}
            assert acknowledged <= there
            assert disagreements(site.home) == []
        finally:
            site.stop()


def write_until_refused(person: Person) -> tuple[set[int], Counter[int]]:
    """Write large records until there is no room; what was acknowledged, and the answers by their status."""
    acknowledged: set[int] = set()
    seen: Counter[int] = Counter()
    for number in range(400):
        note = os.urandom(20_000).hex()
        try:
            answer = person.send("POST", "/api/v1/company", [
                {"name": f"Large {number} {line}", "note": note} for line in range(20)])
        except (URLError, HTTPException, ConnectionError):
            continue
        seen[answer.status] += 1
        if answer.status == 201:
            acknowledged |= {record["id"] for record in answer.json()["records"]}
        if seen[503] + seen[507] >= 5:
            break
    return acknowledged, seen


def works(person: Person) -> bool:
    with suppress(URLError, HTTPException, ConnectionError):
        return person.send("POST", "/api/v1/company", {"name": "There is room again"}).status == 201
    return False


def workers(site: Site) -> list[int]:
    """The processes that answer requests."""
    assert site.process
    children = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if b"work" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def rss(pid: int) -> int:
    """Megabytes that a process has had at most."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def test_fault_30_ten_exports_at_once_keep_memory_flat(site: Site) -> None:
    """Two rounds: what the second takes beyond the first would be a leak, what the first takes beyond little none."""
    person = site.person("admin")
    for start in range(0, 20_000, 1_000):
        rows = [{"name": f"Exported {number}", "city": "Somewhere", "note": "x" * 400}
                for number in range(start, start + 1_000)]
        assert person.send("POST", "/api/v1/company", rows).status == 201
    peaks = []
    for _ in range(2):
        with ThreadPoolExecutor(10) as people:
            answers = list(people.map(lambda number: person.get(
                "/api/v1/company", format=("csv", "json", "xlsx")[number % 3], where="city == 'Somewhere'"), range(10)))
        for answer in answers:
            assert answer.status == 200, answer.text[:300]
            packed = answer.body.startswith(b"PK")
            assert packed or answer.text.count("Exported ") >= 20_000
        peaks.append(max(map(rss, workers(site))))
    assert peaks[1] < RSS and peaks[1] <= peaks[0] + 40, peaks


def test_fault_33_a_backup_under_load_comes_back_whole_and_is_served(site: Site, tmp_path: Path) -> None:
    person, file = site.person("admin"), tmp_path / "loaded.tessera"
    stop, uploaded = threading.Event(), []

    def files() -> None:
        while not stop.is_set():
            content = os.urandom(5_000)
            staged = upload(person, content)
            deal = person.send("POST", "/api/v1/opportunity", {"name": "Paper", "document": staged.json()["id"]})
            uploaded.append((deal.json()["id"], content))
    with Traffic(site) as traffic, ThreadPoolExecutor(1) as other:
        working = other.submit(files)
        while len(uploaded) < 5 or len(traffic.acknowledged) < 5:
            assert not working.done(), working.result()
            time.sleep(0.05)
        before, papers = set(traffic.acknowledged), list(uploaded)
        site.run("backup", str(file))
        stop.set()
        working.result(60)
    assert not traffic.failures, traffic.failures[:5]

    restored = [Site.make(tmp_path / name) for name in ("one", "two") if (tmp_path / name).mkdir() is None]
    found = []
    for one in restored:
        one.run("restore", str(file))
        settings = Settings(home=one.home)
        with embedded.ensure(settings):
            engine = engines.open(settings, "owner")
            found.append(digests(engine, one.home / "files"))
            engine.dispose()
    assert found[0] == found[1]
    one = restored[0]
    one.serve(workers=2)
    try:
        admin = Person(one.address, one.token("admin"))
        there = {row[0] for row in query(one.home, "select record_id from sys.history where change is not null")}
        assert before <= there
        for number, content in papers:
            assert admin.get(f"/api/v1/opportunity/{number}/document").body == content
        no_half_file(one)
        assert stored(one) == {row[0] for row in query(one.home, "select hash from sys.file")}
        assert disagreements(one.home) == []
        assert works(admin)
    finally:
        one.stop()
