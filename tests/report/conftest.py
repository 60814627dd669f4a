"""One Chromium for all the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Browser, find_chromium, started_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine: install it, or name it in JDV_CHROMIUM")
    with started_browser(chromium) as page:
        yield page
