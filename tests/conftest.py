"""Fixtures of all tests; the only place that knows where recordings outside the repository lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_recordings() -> Path:
    """Folder of real recordings that may not be in the repository.

    ``OMSDR_SHARED`` names the folder around it (default: ``shared`` beside the repository).
    Where it is missing, tests are skipped; with ``OMSDR_NO_SKIP=1`` they fail.
    """
    folder = Path(os.environ.get("OMSDR_SHARED", ROOT.parent / "shared")) / "recordings"
    if not folder.is_dir():
        reason = f"no folder {folder}: set OMSDR_SHARED to the folder that holds recordings/"
        if os.environ.get("OMSDR_NO_SKIP") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which the fake drivers are compiled, once a session."""
    return tmp_path_factory.mktemp("fake_drivers")
