"""Completions: an engine behind an address, asked over HTTP for the text that goes on with a prompt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..errors import BackendError, BackendTimeoutError, InputError
from .attempts import Piece

#: How long an engine may be silent, in seconds.
TIMEOUT = 120.0
#: The most bytes of one line, of one output, and of what an error says.
LINE_LIMIT = 2**22
OUTPUT_LIMIT = 2**26
ERROR_LIMIT = 2**14

#: The control tokens that llama.cpp's server is to write out; it leaves out all others. `Chat` says which.
KEPT = "preserved_tokens"
#: Options of a request that only some engines know; others leave them alone. The template has written the tokens that
#: begin the text, its marks are read from the output, and what ends the turn may close a call.
EXTRA = {"add_special_tokens": False, "skip_special_tokens": False, "include_stop_str_in_output": True, KEPT: []}


def _as_completion(prompt: str, stop: list[str], extra: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": prompt, "stream": True, **({"stop": stop} if stop else {}), **extra, **options}


def _as_raw(prompt: str, stop: list[str], extra: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    limit = options.pop("max_tokens", None)
    given = {**({"stop": stop} if stop else {}), **({} if limit is None else {"num_predict": limit}), **options}
    return {"prompt": prompt, "raw": True, "stream": True, "options": given}


def _completion_piece(answer: dict[str, Any]) -> Piece:
    choices = answer.get("choices") or [{}]
    return choices[0].get("text") or "", choices[0].get("finish_reason")


def _raw_piece(answer: dict[str, Any]) -> Piece:
    reason = answer.get("done_reason") or "stop"
    return answer.get("response") or "", reason if answer.get("done") else None


class Wire(NamedTuple):
    """How an engine is asked, and how it answers."""

    #: The end of its addresses.
    path: str
    request: Callable[[str, list[str], Mapping[str, Any], dict[str, Any]], dict[str, Any]]
    piece: Callable[[dict[str, Any]], Piece]
    #: Whether it puts the token that begins a text before every prompt.
    adds_bos: bool


#: The first is for any other address, too.
WIRES = (
    Wire("/completions", _as_completion, _completion_piece, False),
    Wire("/api/generate", _as_raw, _raw_piece, True),
)


class Completions:
    """An engine behind an address: vLLM, SGLang, llama.cpp's server (`/v1/completions`) or Ollama (`/api/generate`).

    Args:
        url: its address; `http://localhost:8000` and `http://localhost:8000/v1` mean `/v1/completions` there.
        model: what the engine calls the model; some need it, some have only one.
        key: what the engine wants as a bearer token.
        timeout: how long it may be silent, in seconds.
        extra: what else is in every request, in place of `EXTRA`.
        adds_bos: whether the engine itself puts the token that begins a text before every prompt, as llama.cpp's
            server does for most models: then the template's own is left out.

    >>> Completions("http://localhost:8000", model="small").url
    'http://localhost:8000/v1/completions'
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        key: str | None = None,
        timeout: float = TIMEOUT,
        extra: Mapping[str, Any] | None = None,
        adds_bos: bool | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InputError(f"{url!r} is no address of an engine", hint="such as http://localhost:8000/v1/completions")
        path = parts.path.rstrip("/")
        endings = {"": "/v1/completions", "/v1": "/v1/completions"}
        self.url = parts._replace(path=endings.get(path, path)).geturl()
        self.model = model
        self.timeout = timeout
        self._wire = next((wire for wire in WIRES if path.endswith(wire.path)), WIRES[0])
        self._extra = dict(EXTRA if extra is None else extra)
        self._headers = {"content-type": "application/json", "user-agent": "llm-templates"}
        if key is not None:
            if not (key.isascii() and key.isprintable()):
                # The HTTP client would say the same, and show the key.
                raise InputError("the key holds characters that no key has", hint="copy it again, without line breaks")
            self._headers["authorization"] = f"Bearer {key}"
        self.adds_bos = self._wire.adds_bos if adds_bos is None else adds_bos

    @property
    def kept(self) -> str | None:
        """The option that names control tokens that are to be written out; None if it is not to be filled."""
        return KEPT if self._wire is WIRES[0] and self._extra.get(KEPT) == [] else None

    def __repr__(self) -> str:
        return f"<Completions {self.url}>"

    def pieces(self, prompt: str, stop: list[str], options: Mapping[str, Any]) -> Iterator[Piece]:
        """The output, as it comes.

        Raises:
            BackendError: the engine cannot be reached, refuses, or breaks off.
        """
        body = self._wire.request(prompt, stop, self._extra, dict(options))
        if self.model is not None:
            body = {"model": self.model, **body}
        size, ended = 0, False
        with self._opened(body) as response:
            for line in self._lines(response):
                size += len(line)
                if size > OUTPUT_LIMIT:
                    raise BackendError(f"{self.url} wrote more than {OUTPUT_LIMIT:,} bytes")
                data = line.strip().removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                if data.startswith(b"{"):
                    text, reason = self._wire.piece(self._answer(data))
                    ended = ended or reason is not None
                    yield text, reason
        if not ended:
            raise BackendError(f"{self.url} broke off")

    def _opened(self, body: dict[str, Any]) -> Any:
        from http.client import HTTPException
        from urllib.error import HTTPError, URLError
        from urllib.request import HTTPRedirectHandler, Request, build_opener

        class Staying(HTTPRedirectHandler):
            """Follows no redirection, which could carry the key and the prompt to another host."""

            def redirect_request(self, *_: Any) -> None:
                return None

        try:
            data = json.dumps(body, ensure_ascii=True).encode()
        except (TypeError, ValueError) as error:
            raise InputError(f"an option cannot be written as JSON: {error}") from None
        request = Request(self.url, data=data, headers=self._headers, method="POST")
        try:
            return build_opener(Staying).open(request, timeout=self.timeout)
        except HTTPError as error:
            with error:
                said = _said(error)
            raise BackendError(f"{self.url} answers {error.code}: {said}", status=error.code) from None
        except TimeoutError:
            raise self._silent() from None
        except URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._silent() from None
            cause = error.reason if isinstance(error.reason, Exception) else None
            raise BackendError(f"{self.url} cannot be reached: {error.reason}", hint="is the server up?") from cause
        except (HTTPException, OSError) as error:
            raise BackendError(f"{self.url} broke off before it answered: {type(error).__name__}") from error

    def _lines(self, response: Any) -> Iterator[bytes]:
        from http.client import HTTPException

        try:
            while line := response.readline(LINE_LIMIT):
                yield line
        except TimeoutError:
            raise self._silent() from None
        except (HTTPException, OSError) as error:
            raise BackendError(f"{self.url} broke off: {type(error).__name__}") from None

    def _answer(self, data: bytes) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(data)
            self._wire.piece(answer)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError):
            raise BackendError(f"{self.url} does not answer as an engine does: {_text(data[:200])}") from None
        if answer.get("error"):
            raise BackendError(f"{self.url} failed: {_message(answer)}")
        return answer

    def _silent(self) -> BackendTimeoutError:
        return BackendTimeoutError(f"{self.url} said nothing for {self.timeout:g} seconds")


def _said(response: Any) -> str:
    """What the body of an error says."""
    try:
        data: bytes = response.read(ERROR_LIMIT)
    except Exception:  # noqa: BLE001  (the status is what counts)
        return "nothing more"
    try:
        return _message(json.loads(data))
    except (ValueError, RecursionError):
        return _text(data).strip()[:500] or "nothing more"


def _message(answer: Any) -> str:
    while isinstance(answer, dict):
        answer = next((answer[key] for key in ("error", "message", "detail") if answer.get(key)), str(answer))
    return str(answer)[:500]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
