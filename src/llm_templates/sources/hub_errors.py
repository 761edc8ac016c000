"""What went wrong between this machine and the hub, in a sentence with a way out."""

from __future__ import annotations

from typing import NamedTuple

from .. import families
from ..errors import SourceError


class _Cause(NamedTuple):
    """A kind of failure: what happened, and what to do; with places for the facts."""

    message: str
    hint: str


#: The hub's refusals by the class that huggingface_hub raises, the narrow ones first.
_REFUSALS = {
    "GatedRepoError": _Cause(
        "{repository} is gated: the hub shows it to accounts that accepted its terms",
        "accept them at {endpoint}/{repository}, then log in with `hf auth login`, set HF_TOKEN, or pass a token",
    ),
    "RepositoryNotFoundError": _Cause(
        "there is no model {repository} on the hub, or it is private",
        "check the spelling (there is no such folder here, either); for a private model log in with `hf auth login`,"
        " set HF_TOKEN, or pass a token",
    ),
    "RevisionNotFoundError": _Cause(
        "{repository} has no revision {revision!r}",
        "a revision is a branch, a tag or a commit; without one it is the branch main",
    ),
    "DisabledRepoError": _Cause("the hub has disabled {repository}", "see {endpoint}/{repository} for the reason"),
}

#: The hub's other answers, by status.
_ANSWERS = {
    401: _Cause(
        "{repository}: the hub wants a token that it knows",
        "log in with `hf auth login`, or set HF_TOKEN to one that is valid",
    ),
    403: _Cause(
        "the hub does not let this account do that with {repository}", "use a token that has the right to do it"
    ),
    412: _Cause("{repository} was changed at the same moment", "try again"),
    429: _Cause(
        "{repository}: the hub has had too many requests from here", "wait a few minutes; with a login more are allowed"
    ),
}

_LATER = "try again later; what is in the cache loads without the hub"
_OTHER_ANSWER = _Cause("{repository}: the hub answered with status {status}", _LATER)
_NO_ANSWER = _Cause(
    "{repository}: the hub did not answer within {seconds:g} seconds",
    f"is there a network? HF_HUB_ETAG_TIMEOUT=30 waits longer; {_LATER}",
)
_BROKEN_OFF = _Cause("{repository}: the hub's answer broke off: {reason}", f"is there a proxy in between? {_LATER}")
#: What the HTTP clients call that.
_BREAKS = frozenset({"BrokenOff", "RemoteProtocolError", "ReadError", "ChunkedEncodingError"})
_NO_HUB = _Cause("{repository}: the hub cannot be reached: {reason}", f"is there a network? {_LATER}")


def explain(error: Exception, repository: str, revision: str, endpoint: str, seconds: float) -> SourceError:
    """The error of a call to the hub as ours.

    Args:
        error: what huggingface_hub or its HTTP client raised.
        repository: the model that was asked for.
        revision: its branch, tag or commit.
        endpoint: the hub's address.
        seconds: how long an answer was waited for.

    >>> print(explain(ConnectionError("no route to host"), "owner/name", "main", "https://huggingface.co", 2.5).message)
    owner/name: the hub cannot be reached: no route to host
    """
    status = getattr(getattr(error, "response", None), "status_code", 0)
    cause = _cause(error, status)
    facts = {
        "repository": repository,
        "revision": revision,
        "endpoint": endpoint,
        "seconds": seconds,
        "status": status,
        "reason": (str(error).splitlines() or [type(error).__name__])[0],
    }
    return SourceError(cause.message.format(**facts), hint=_hints(cause.hint.format(**facts), repository))


def not_cached(repository: str, revision: str) -> SourceError:
    """The error for a model that is to be loaded without the network and is not there."""
    return SourceError(
        f"{repository} at {revision} is not in the hub's cache on this machine",
        hint=_hints(f"with a network, fetch it once: llm-templates fetch {repository}", repository),
    )


def _cause(error: Exception, status: int) -> _Cause:
    names = [kind.__name__ for kind in type(error).__mro__]
    for name, cause in _REFUSALS.items():
        if name in names:
            return cause
    if status:
        return _ANSWERS.get(status, _OTHER_ANSWER)
    if any("Timeout" in name for name in names):
        return _NO_ANSWER
    return _NO_HUB if _BREAKS.isdisjoint(names) else _BROKEN_OFF


def _hints(hint: str, repository: str) -> str:
    """A way out, and the built-in family that the model belongs to, if there is one."""
    family = families.find_by_id(repository)
    return f"{hint}\nits template is built in: load({family.name!r})" if family else hint
