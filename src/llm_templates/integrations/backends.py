"""Backends: what can go on with a prompt, one row for each kind: how it is recognised and how it is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import BackendError, InputError
from .attempts import Piece
from .calling import is_asynchronous
from .completions import Completions

Options = Mapping[str, Any]


class Backend(NamedTuple):
    """One kind of backend."""

    #: What it is, for error texts.
    what: str
    matches: Callable[[Any], bool]
    #: Called with the backend, the prompt, the texts that end the output, and the options of the generation.
    pieces: Callable[[Any, str, list[str], Options], Iterator[Piece]]
    #: What it calls the largest number of tokens to generate; None if that is not known.
    limit: str | None = None
    #: Whether it puts the token that begins a text before every prompt.
    adds_bos: Callable[[Any], bool] = lambda backend: False
    #: What it calls the control tokens that it is to write out; None if it writes all, or is not asked to.
    kept: Callable[[Any], str | None] = lambda backend: None


def _from_inference_client(client: Any, prompt: str, stop: list[str], options: Options) -> Iterator[Piece]:
    ends = {"stop": stop} if stop else {}
    return _as_pieces(client.text_generation(prompt=prompt, **{"stream": True, **ends, **options}))


def _from_llama(llama: Any, prompt: str, stop: list[str], options: Options) -> Iterator[Piece]:
    # Given text, it puts a second token that begins the text before it.
    tokenize = getattr(llama, "tokenize", None)
    ids = prompt if tokenize is None else tokenize(prompt.encode(), add_bos=False, special=True)
    answers = llama.create_completion(ids, **{"stream": True, "stop": stop, **options})
    for answer in [answers] if isinstance(answers, Mapping) else answers:
        choice = answer["choices"][0]
        yield choice.get("text") or "", choice.get("finish_reason")


def _from_pipeline(pipeline: Any, prompt: str, stop: list[str], options: Options) -> Iterator[Piece]:
    ends = {"stop_sequence": stop} if stop else {}
    # The template has written the tokens that begin the text, and its marks are read from the output.
    own = {"return_full_text": False, "add_special_tokens": False, "skip_special_tokens": False}
    for answer in pipeline(prompt, **{**own, **ends, **options}):
        yield answer["generated_text"], None


def _from_callable(function: Any, prompt: str, stop: list[str], options: Options) -> Iterator[Piece]:
    return _as_pieces(function(prompt, **options))


def _as_pieces(output: Any) -> Iterator[Piece]:
    """A text, or texts as they come."""
    if isinstance(output, str):
        yield output, None
        return
    if not isinstance(output, Iterable) or isinstance(output, bytes | Mapping):
        raise BackendError(f"the backend returned a {type(output).__name__}, neither a text nor pieces of one")
    try:
        for piece in output:
            # A client that was asked for details gives them around the text.
            text = getattr(getattr(piece, "token", None), "text", piece)
            if not isinstance(text, str):
                raise BackendError(f"the backend gave a {type(piece).__name__} for a piece of text")
            yield text, getattr(getattr(piece, "details", None), "finish_reason", None)
    finally:
        close = getattr(output, "close", None)
        if close is not None:
            close()


def _is_callable(backend: Any) -> bool:
    if is_asynchronous(backend):
        raise InputError("a backend cannot be asynchronous", hint="pass a function that returns the text, or yields it")
    return callable(backend)


#: The first row that matches is used; what is called by name comes before what is only called.
BACKENDS = (
    Backend(
        "the address of an engine, or Completions(address, ...)",
        lambda backend: isinstance(backend, Completions),
        Completions.pieces,
        "max_tokens",
        lambda backend: bool(backend.adds_bos),
        lambda backend: backend.kept,
    ),
    Backend(
        "a huggingface_hub.InferenceClient",
        lambda backend: callable(getattr(backend, "text_generation", None)),
        _from_inference_client,
        "max_new_tokens",
        lambda backend: True,
    ),
    Backend(
        "a llama_cpp.Llama",
        lambda backend: callable(getattr(backend, "create_completion", None)),
        _from_llama,
        "max_tokens",
    ),
    Backend(
        "a text-generation pipeline of transformers",
        lambda backend: getattr(backend, "task", None) == "text-generation" and callable(backend),
        _from_pipeline,
        "max_new_tokens",
    ),
    Backend(
        "a function from a prompt to the text that goes on with it, or to its pieces", _is_callable, _from_callable
    ),
)


def recognised(backend: Any) -> tuple[Backend, Any]:
    """The row of a backend, and the backend itself; an address becomes `Completions`.

    Raises:
        InputError: it is none.

    >>> recognised("http://localhost:8000/v1")[1]
    <Completions http://localhost:8000/v1/completions>
    """
    if isinstance(backend, str):
        backend = Completions(backend)
    for row in BACKENDS:
        if row.matches(backend):
            return row, backend
    raise InputError(
        f"a {type(backend).__name__} is no backend", hint="it can be " + "; ".join(row.what for row in BACKENDS)
    )
