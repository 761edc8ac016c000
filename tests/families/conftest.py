"""A summary of what verified which family, after the tests."""

import pytest

VERIFIED = pytest.StashKey[list]()


@pytest.fixture
def verified(request):
    """The list that a test adds (family, file, number of equal cases) to."""
    return request.config.stash.setdefault(VERIFIED, [])


def pytest_terminal_summary(terminalreporter, config):
    lines = config.stash.get(VERIFIED, [])
    if lines:
        total = sum(count for _, _, count in lines)
        families = len({stem for stem, _, _ in lines})
        terminalreporter.section(
            f"{families} family templates verified by {len(lines)} templates, {total:,} cases equal"
        )
        for stem, file, count in sorted(lines):
            terminalreporter.line(f"{stem}: {file} ({count})")
