"""CPU seconds of process trees, and a client that keeps its connection."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

WARM_UP = 20
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Sample:
    """CPU milliseconds that one operation took, in the server's processes and in PostgreSQL's."""

    server: float
    database: float

    @property
    def total(self) -> float:
        return self.server + self.database


def _read(pid: int) -> tuple[int, float] | None:
    """A process's parent and its CPU seconds, those of reaped children included; None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
        own = time.clock_gettime((~pid << 3) | 2)       # the process's CPU clock (clock_getcpuclockid), in ns
    except OSError:
        return None
    return int(fields[1]), own + sum(int(field) for field in fields[13:15]) / TICK


def cpu_seconds(roots: Iterable[int]) -> float:
    """The CPU seconds that these processes and all below them have used so far (Linux only)."""
    found = {int(name): row for name in os.listdir("/proc") if name.isdigit() and (row := _read(int(name)))}
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in found.items():
        children.setdefault(parent, []).append(pid)
    waiting, seconds = list(roots), 0.0
    while waiting:
        pid = waiting.pop()
        seconds += found.get(pid, (0, 0.0))[1]
        waiting += children.get(pid, [])
    return seconds


class Client:
    """One keep-alive connection with fixed headers; any answer but the expected status stops the bench."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = dict(headers or {})

    def ask(self, method: str, path: str, body: bytes | None = None, expect: Iterable[int] = (200,),
            **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {data[:800]!r}")
        return answer, data


def per_operation(operation: Callable[[int], object], first: int, times: int, server: int, database: int) -> Sample:
    """CPU of one operation: run it `times` times, after a few to warm up, with a number that grows from `first`."""
    for number in range(first, first + WARM_UP):
        operation(number)
    before = cpu_seconds([server]), cpu_seconds([database])
    for number in range(first + WARM_UP, first + WARM_UP + times):
        operation(number)
    after = cpu_seconds([server]), cpu_seconds([database])
    return Sample(*((end - begin) * 1000 / times for begin, end in zip(before, after, strict=True)))
