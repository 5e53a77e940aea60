"""An offline system within the process of the tests, driven as the server drives it."""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import text
from sqlalchemy.engine import make_url
from werkzeug.test import Client, TestResponse

from core.cli import offline as offline_system
from core.cli.offline import OfflineSystem
from core.database import engine as engines
from core.database import offline
from core.settings import ROOT, Settings
from core.web.offline_front import Front
from tests import databases


class Followed:
    """The system, its folder, and a browser that is signed in to it."""

    def __init__(self, live: Settings) -> None:
        self.live = live
        self.folder = live.metadata
        self.system = OfflineSystem(live)
        self.client = Client(Front(self.system))
        self.thread = threading.Thread(target=self.system.run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.system.stop()
        self.thread.join(30)

    def write(self, name: str, text: str) -> None:
        """Save a file as an editor does."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def get(self, path: str = "/offline/", status: int = 200) -> str:
        answer: TestResponse = self.client.get(path, headers={"Accept": "text/html"})
        while answer.status_code == 503 and answer.headers.get("X-Offline-Standing") == "starting":
            answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text[:2000]}"
        return str(answer.text)

    def be(self, login: str = "admin", into: str = "/") -> TestResponse:
        """Press the button of a demo account."""
        csrf = re.search(r'name="csrf" value="([^"]+)', self.get("/offline/login"))
        assert csrf
        return self.client.post("/offline/-/be", data={"csrf": csrf[1], "login": login, "next": into},
                                headers={"Origin": "http://localhost"})

    @contextmanager
    def connection(self) -> Iterator[Any]:
        pool = engines.open(offline.settings_of(self.live), "owner")
        with pool.begin() as connection:
            yield connection
        pool.dispose()

    def scalar(self, statement: str) -> Any:
        with self.connection() as connection:
            return connection.scalar(text(statement))


def banner(page: str) -> str:
    """What the band above a page says, as plain text."""
    found = re.search(r"<aside class=\"t-offline.*?</aside>", page, re.DOTALL)
    assert found, page[:2000]
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


@contextmanager
def following(database: Settings, folder: Path) -> Iterator[Followed]:
    """An offline system of the project's own addons and a copy of the starter site."""
    shutil.copytree(ROOT / "metadata", folder / "site", ignore=shutil.ignore_patterns(".*"))
    (folder / "addons" / "shouting").mkdir(parents=True)
    found = Followed(database.model_copy(update={
        "metadata": folder / "site", "home": folder / "home", "addons": (folder / "addons",)}))
    found.live.home.mkdir(exist_ok=True)
    shutil.copy(database.home / "secrets.yaml", found.live.home)
    with patch.object(offline_system, "PATIENCE", 300.0):       # what is asked is what comes of the files, however late
        found.start()
        try:
            yield found
        finally:
            found.stop()
            drop(found.live)


def drop(live: Settings) -> None:
    """Drop the database of an offline system."""
    databases.drop(live, make_url(offline.settings_of(live).database or "").database or "")
