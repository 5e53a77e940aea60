"""The client of docs/api, in use against a served demo: each thing that it offers, and what it does when things fail."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from tests.scenarios.client import ROOT
from tests.scenarios.hostile import Crm

PATH = ROOT / "docs" / "api" / "client.py"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The file as somebody would import it."""
    spec = importlib.util.spec_from_file_location("tessera_client", PATH)
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture
def client(module: ModuleType, crm: Crm) -> Iterator[Any]:
    with module.Client(crm.site.address, crm.site.token("admin")) as found:
        yield found


def name() -> str:
    return f"Client {next(NUMBERS)}"


def test_records_are_created_listed_grouped_changed_and_deleted(client: Any) -> None:
    city = name()
    made = list(client.create_all("company", ({"name": f"{city} {n}", "city": city} for n in range(7)), at_once=3))
    assert len({one["id"] for one in made}) == 7
    where = f"city == '{city}'"
    listed = list(client.records("company", where=where, fields="name", order="-name", limit=2))
    assert [one["name"] for one in listed] == [f"{city} {n}" for n in range(6, -1, -1)]
    assert client.count("company", where) == (7, False)
    assert client.groups("company", "city", where=where) == [{"city": city, "count": 7}]
    changed = client.change_all("company", [{"id": one["id"], "_version": one["_version"], "employees": n}
                                            for n, one in enumerate(made)])
    assert [one["employees"] for one in changed] == list(range(7))
    assert sorted(client.change_where("company", where, 7, note="seen")) == sorted(one["id"] for one in made)
    client.delete("company", *client.records("company", where=where, fields="id"))
    assert client.count("company", where) == (0, False)


def test_a_conflict_tells_theirs_and_is_overcome(client: Any, module: ModuleType) -> None:
    company = client.create("company", {"name": name(), "employees": 1})
    client.change("company", company, employees=5)
    with pytest.raises(module.Conflict) as caught:
        client.change("company", company, employees=7)
    assert caught.value.current["employees"] == 5
    assert caught.value.changed == [{"field": "employees", "yours": 7, "theirs": 5, "original": 1}]
    tried: list[int] = []

    def more(record: dict[str, Any]) -> dict[str, Any]:
        tried.append(record["employees"])
        if len(tried) == 1:                      # somebody else is faster once
            client.change("company", record, employees=20)
        return {"employees": record["employees"] + 1}
    assert client.change_with("company", company["id"], more)["employees"] == 21
    assert tried == [5, 20]


def test_a_key_that_is_kept_makes_one_record(client: Any, module: ModuleType) -> None:
    key, record = module.new_key(), {"name": name()}
    assert client.create("company", record, key) == client.create("company", record, key)
    with pytest.raises(module.Problem, match="422"):
        client.create("company", {"name": name()}, key)


def test_what_is_wrong_is_raised_with_field_and_row(client: Any, module: ModuleType) -> None:
    with pytest.raises(module.Problem) as caught:
        list(client.create_all("company", [{"name": name()}, {"name": name(), "employees": "many"}]))
    assert [(one["row"], one["field"], one["code"]) for one in caught.value.errors] == [(1, "employees", "type")]
    assert "employees" in str(caught.value)
    with pytest.raises(module.Problem, match="404"):
        client.read("company", 999_999_999)
    with pytest.raises(module.Problem, match="401"):
        module.Client(f"http://{client._address.netloc}", "wrong").get("company")


def test_files_go_up_and_come_down(client: Any) -> None:
    content = b"%PDF-1.4 " + os.urandom(100_000)
    deal = client.create("opportunity", {"name": name(), "document": client.upload("offer 报价.pdf", content)})
    assert deal["document"]["name"] == "offer 报价.pdf"
    assert client.download("opportunity", deal["id"], "document") == content


class Flaky:
    """A server in front of the server: it cuts replies, or says that it is busy, before it lets one through."""

    def __init__(self, port: int, moods: list[str]) -> None:
        self.moods, self.port = moods, port
        self.asked: list[bytes] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self.moods:
            connection, _ = self.listening.accept()
            with connection:
                self._answer(connection, self.moods.pop(0))

    def _answer(self, caller: socket.socket, mood: str) -> None:
        request = _message(caller)
        self.asked.append(request)
        if mood == "deaf":                      # fault 4: cut before it is carried out
            return
        if mood in ("429", "503"):
            caller.sendall(f"HTTP/1.1 {mood} Later\r\nRetry-After: 0\r\nContent-Length: 0\r\n"
                           "Connection: close\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(request)
            answer = _message(server)
        if mood != "cut":                       # fault 3: cut after it was carried out
            caller.sendall(answer.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))


def _message(connection: socket.socket) -> bytes:
    """A request or an answer with its body."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += connection.recv(65_536)
    head, _, body = found.partition(b"\r\n\r\n")
    length = next((int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(
        b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.mark.parametrize("moods", [["cut"], ["deaf"], ["429"], ["503"], ["deaf", "503", "cut", "429"]])
def test_faults_3_and_4_a_request_that_was_cut_off_is_carried_out_once(crm: Crm, module: ModuleType, moods: list[str],
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.01)
    server, called = Flaky(crm.site.port, [*moods, "well"]), name()
    with module.Client(server.address, crm.site.token("admin")) as client:
        made = client.create("company", {"name": called})
    assert len(server.asked) == len(moods) + 1 and len({request.split(b"\r\n\r\n")[1] for request in server.asked}) == 1
    assert [one["id"] for one in crm.api("admin").get("/api/v1/company", where=f"name == '{called}'").json()[
        "records"]] == [made["id"]]


def test_a_server_that_stays_away_is_told(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.001)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(OSError):
        module.Client(address, "x").get("company")


def test_it_is_a_program_too(crm: Crm) -> None:
    done = subprocess.run([sys.executable, "-I", str(PATH), "company"], capture_output=True, text=True, timeout=60, env={
        "TESSERA_URL": crm.site.address, "TESSERA_TOKEN": crm.site.token("admin"), "PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "/api/v1/company/{id}" in lines and json.loads(lines[-1])["id"]
