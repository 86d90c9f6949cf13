"""What every test shares: hypothesis profiles, how xdist groups tests, seeds, the browser."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# A shared machine is slow at odd moments: no test fails for a deadline of milliseconds.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("check", max_examples=50, **_COMMON)
settings.register_profile("test", max_examples=200, print_blob=True, **_COMMON)
settings.register_profile("soak", max_examples=20_000, print_blob=True, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file to one worker, and everything marked `alone` to the same one."""
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        alone = item.get_closest_marker("alone")
        item.add_marker(pytest.mark.xdist_group("alone" if alone else item.path.stem))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium, or skip: Playwright's own is a download we never make."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no chromium on this machine")
