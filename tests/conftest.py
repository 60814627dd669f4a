"""What all tests share: slow tests run only when asked for, and where the reference data and the corpus builder are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from jdv_qa.language import use_language
from tests.browser import Browser, find_chromium, started_browser

# The same examples every day, however busy the machine is, and more of them with --slow; `--hypothesis-profile=random`
# looks for others.
settings.register_profile(
    "everyday", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40
)
settings.register_profile("slow", parent=settings.get_profile("everyday"), max_examples=150)
settings.register_profile("random", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("everyday")

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow too")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--slow") and not config.getoption("--hypothesis-profile", None):
        settings.load_profile("slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow") or "slow" in (config.getoption("-m") or ""):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow: run with --slow"))


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    """Every test begins in French and leaves no other language behind."""
    use_language("fr")
    yield
    use_language("fr")


@pytest.fixture(scope="session")
def kit() -> Path:
    """The folder of the corpus builder."""
    folder = Path(os.environ.get("JDV_KIT", REPOSITORY.parent / "shared" / "kit"))
    if not (folder / "corpus.py").is_file():
        pytest.skip(f"no corpus builder at {folder} (set JDV_KIT)")
    return folder


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of the real LOINC, ANS and NABM extracts."""
    folder = Path(os.environ.get("JDV_REFERENCE_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder} (set JDV_REFERENCE_DATA)")
    return folder


@pytest.fixture(scope="session")
def corpus(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str, str], Path]:
    """A function (seed, layout, grouping) -> folder of a full-size corpus, each built once a session."""
    root = tmp_path_factory.mktemp("corpora")

    def build(seed: int, layout: str, grouping: str) -> Path:
        folder = root / f"{seed}-{layout}-{grouping}"
        if not folder.exists():
            command = [
                sys.executable,
                str(kit / "corpus.py"),
                str(folder),
                "--seed",
                str(seed),
                "--layout",
                layout,
                "--grouping",
                grouping,
            ]
            subprocess.run(command, check=True, capture_output=True)
        return folder

    return build


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all the pages."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("no Chromium on this machine: install it, or name it in JDV_CHROMIUM")
    with started_browser(chromium) as page:
        yield page
