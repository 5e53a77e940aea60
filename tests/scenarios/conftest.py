"""The served demo that hostile tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.hostile import Crm, serve_demo


@pytest.fixture(scope="session")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crm]:
    """The demo behind a server, for all modules that send it bad input."""
    yield from serve_demo(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def no_faults(crm: Crm) -> Iterator[None]:
    """Whatever a module's tests send, the server never fails."""
    yield
    assert crm.faults() == []
