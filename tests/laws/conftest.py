"""A summary of what was attributed, after the tests."""

from collections import Counter

import pytest

ATTRIBUTED = pytest.StashKey[Counter]()


@pytest.fixture
def attributed(request):
    """The counter that tests of attribution add to."""
    return request.config.stash.setdefault(ATTRIBUTED, Counter())


def pytest_terminal_summary(terminalreporter, config):
    counts = config.stash.get(ATTRIBUTED, None)
    if counts:
        terminalreporter.section("attribution")
        terminalreporter.line(
            f"{counts['renders']:,} prompts of {counts['templates']:,} templates, {counts['characters']:,} characters: "
            f"{counts['canaries']:,} canaries with their true origin, {counts['derived']:,} characters derived, "
            f"{counts['refused']:,} conversations refused"
        )
