"""The sample site, once for each module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.core.web.site import Site, sample_site


@pytest.fixture(scope="module")
def site(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A live system with ada (administrator), sam and sue (salespersons), max (manager) and nil (no role)."""
    with sample_site(database, tmp_path_factory.mktemp("web")) as found:
        yield found
