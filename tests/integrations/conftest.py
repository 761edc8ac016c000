"""What the tests of integrations share."""

import pytest

from llm_templates.integrations import attempts

from .stand_in import StandIn


@pytest.fixture
def engine():
    """A server that stands in for an engine."""
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between attempts, which are not waited for."""
    waited = []
    monkeypatch.setattr(attempts.time, "sleep", waited.append)
    return waited
