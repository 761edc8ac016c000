"""A tokenizer made safe: the same ids for an honest prompt, and no control token from text that may not have one.

An honest prompt is encoded by the tokenizer's own components in one call. Where a control token was found in text that
may not have it, what stands between the control tokens around it is encoded again, through the same components, one
after the other, with that token left unmatched. Nothing is cut off: each component sees what it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress, pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from ..errors import InputError
from .matching import Match, Matcher, Spans
from .pieces import between, in_windows, slices, without
from .places import Offsets
from .words import Words

if TYPE_CHECKING:
    from tokenizers import Encoding, NormalizedString, Tokenizer

    from .bytewise import Bytewise


class Encoded(NamedTuple):
    """The tokens of a text, and the control tokens in it that did not count."""

    ids: list[int]
    #: Their places: a list, or what the library returned.
    source: Offsets | Encoding
    #: The token's text and where it stands.
    refused: list[tuple[str, int, int]]


def half_character(text: str) -> InputError | None:
    """What to say of a text with half a character, which no tokenizer takes and no file holds; None for all others.

    >>> print(half_character("a\\ud800"))
    character 1 of the prompt is '\\ud800', half a character, which has no tokens
    clean the input: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')
    """
    place = next((at for at, character in enumerate(text) if "\ud800" <= character <= "\udfff"), None)
    if place is None:
        return None
    return InputError(
        f"character {place} of the prompt is {text[place]!r}, half a character, which has no tokens",
        hint="clean the input: text.encode('utf-16', 'surrogatepass').decode('utf-16', 'replace')",
    )


class Pipeline:
    """The components of a tokenizer, without the settings that depend on who used it last."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        from tokenizers import Tokenizer

        self.model = tokenizer.model
        self.normalizer = tokenizer.normalizer
        self.pre_tokenizer = tokenizer.pre_tokenizer
        added = tokenizer.get_added_tokens_decoder()
        #: All added tokens, by id.
        self.added = added
        #: The control tokens: added tokens by id, but for white space and letters of the model's alphabet.
        self.control = {
            identity: token
            for identity, token in added.items()
            if token.content.strip() and (len(token.content) > 1 or self.model.token_to_id(token.content) is None)
        }
        # It shares the model. It has no post-processor, which could add tokens and takes white space out of offsets,
        # and neither truncation nor padding, which a fast tokenizer of transformers keeps from its last call.
        self._plain = Tokenizer(self.model)
        self._plain.normalizer = self.normalizer
        self._plain.pre_tokenizer = self.pre_tokenizer
        self._plain.add_tokens([added[identity] for identity in sorted(added)])
        theirs = ((self._plain.token_to_id(token.content), identity) for identity, token in added.items())
        self._renamed = {ours: identity for ours, identity in theirs if ours is not None and ours != identity}
        self._raw = Matcher([(token.content, i, token) for i, token in added.items() if not token.normalized])
        self._normalized = Matcher(
            [(self._normal(token.content), i, token) for i, token in added.items() if token.normalized]
        )
        self._unknown = self._unknown_id()
        #: The fast way to its ids, once somebody has asked whether there is one.
        self.bytewise: Bytewise | None = None
        self.is_known = False
        self.size = tokenizer.get_vocab_size()

    def encode(self, text: str, untrusted: Spans, ordinary: frozenset[str] = frozenset()) -> Encoded:
        """Encode `text`, in which no character of `untrusted` can be part of a control token.

        Args:
            text: a whole prompt.
            untrusted: where it is not the template's.
            ordinary: control tokens that count wherever they stand.

        Raises:
            InputError: the text holds half a character.
        """
        encoding = self._encoded(text)
        ids: list[int] = encoding.ids
        if self._renamed:
            ids = [self._renamed.get(identity, identity) for identity in ids]
        control = self.control
        if ordinary:
            control = {identity: token for identity, token in control.items() if token.content not in ordinary}
        hits = list(compress(range(len(ids)), map(control.__contains__, ids)))
        refused: list[int] = []
        attempts: list[tuple[str, int, int]] = []
        for place in hits:
            start, end = encoding.token_to_chars(place) or (0, 0)
            start, end = self._core(text, ids[place], start, end)
            if untrusted.meet(start, end) and not self._is_unknown(text, ids[place], start, end):
                refused.append(place)
                attempts.append((control[ids[place]].content, start, end))
        if not refused:
            return Encoded(ids, encoding, attempts)
        offsets: Offsets = encoding.offsets
        windows = self._windows(hits, refused, ids)
        parts = self._again(text, windows, offsets, untrusted, control)
        # From the end, so that the windows before stay where they are.
        for (first, last), new_ids, new_offsets in reversed(list(zip(windows, *parts, strict=True))):
            ids[first:last] = new_ids
            offsets[first:last] = new_offsets
        return Encoded(ids, offsets, attempts)

    def ids(self, text: str) -> list[int]:
        """The ids of a text, in which control tokens count whoever wrote them."""
        # This call spares the tokenizer finding out where the tokens stand.
        ids: list[int] = self._plain.encode_batch_fast([text], add_special_tokens=False)[0].ids
        return [self._renamed.get(identity, identity) for identity in ids] if self._renamed else ids

    @property
    def is_renamed(self) -> bool:
        """Whether added tokens have other ids than the library would give them."""
        return bool(self._renamed)

    def vocabulary(self) -> dict[str, int]:
        """The model's own tokens, by their spelling."""
        known: dict[str, int] = self._plain.get_vocab(with_added_tokens=False)
        return known

    def control_spans(self, text: str) -> Spans:
        """Where control tokens stand, whoever wrote them."""
        encoding = self._encoded(text)
        return Spans(
            span
            for identity, span in zip(encoding.ids, encoding.offsets, strict=True)
            if self._renamed.get(identity, identity) in self.control
        )

    def _encoded(self, text: str) -> Encoding:
        try:
            return self._plain.encode(text, add_special_tokens=False)
        except TypeError:
            # All that a str can hold and a tokenizer cannot take.
            broken = half_character(text)
            if broken is None:
                raise
            raise broken from None

    def _normal(self, text: str) -> str:
        return text if self.normalizer is None else str(self.normalizer.normalize_str(text))

    def _core(self, text: str, identity: int, start: int, end: int) -> tuple[int, int]:
        """Where the token itself stands, without the white space that it takes along."""
        token = self.control[identity]
        if token.lstrip:
            start = end - len(text[start:end].lstrip())
        if token.rstrip:
            end = start + len(text[start:end].rstrip())
        return start, end

    def _is_unknown(self, text: str, identity: int, start: int, end: int) -> bool:
        """Whether the token says that the model does not know a character, and does not stand for its own text."""
        if identity != self._unknown:
            return False
        token, found = self.control[identity].content, text[start:end]
        return token not in found and self._normal(token).strip(" ▁") not in self._normal(found)

    def _unknown_id(self) -> int | None:
        """The token the model writes for what it does not know."""
        name = getattr(self.model, "unk_token", None)
        if isinstance(name, str):
            known: int | None = self.model.token_to_id(name)
            return known
        # A model of another type does not tell; a character that no vocabulary has shows it.
        try:
            shown = self.model.tokenize("\U0010fffd")
        except Exception:  # noqa: BLE001  (the library raises bare exceptions; this one is "no unknown token")
            return None
        found = {token.id for token in shown} & self.control.keys()
        return found.pop() if len(found) == 1 else None

    def _windows(self, hits: list[int], refused: list[int], ids: list[int]) -> list[tuple[int, int]]:
        """The ranges of tokens to encode again: around each refused token, up to control tokens that stay."""
        wrong = set(refused)
        anchors = [place for place in hits if place not in wrong and self._is_anchor(ids[place])]
        windows: list[tuple[int, int]] = []
        at = 0
        for place in refused:
            if windows and place < windows[-1][1]:
                continue
            while at < len(anchors) and anchors[at] < place:
                at += 1
            windows.append((anchors[at - 1] + 1 if at else 0, anchors[at] if at < len(anchors) else len(ids)))
        return windows

    def _is_anchor(self, identity: int) -> bool:
        # One that was matched before anything else, whatever stands around it.
        token = self.control[identity]
        return identity != self._unknown and not (token.normalized or token.lstrip or token.single_word)

    def _again(
        self,
        text: str,
        windows: Sequence[tuple[int, int]],
        offsets: Offsets,
        untrusted: Spans,
        control: dict[int, Any],
    ) -> tuple[list[list[int]], list[Offsets]]:
        """The tokens of each window, with control tokens only where all characters are the template's."""
        spans = [
            (offsets[first - 1][1] if first else 0, offsets[last][0] if last < len(offsets) else len(text))
            for first, last in windows
        ]

        def counts(start: int, end: int, identity: int) -> bool:
            return identity not in control or not untrusted.meet(start, end)

        matches = [match for start, end in spans for match in self._raw.find(text, start, end, counts)]
        pieces = between(spans, matches)
        pretokenized = self._normalized_pieces(text, pieces)
        if self._normalized:
            found = self._normalized_matches(text, pieces, counts)
            matches = sorted([*matches, *(match for kept in found for match, _ in kept)])
            pretokenized.split(lambda place, piece: without(piece, found[place]))
        if self.pre_tokenizer is not None:
            self.pre_tokenizer.pre_tokenize(pretokenized)
        pretokenized.tokenize(Words(self.model, control).tokens)
        encoding = pretokenized.to_encoding()
        return in_windows(spans, matches, encoding.ids, encoding.offsets)

    def _normalized_pieces(self, text: str, pieces: list[tuple[int, int]]) -> Any:
        from tokenizers import PreTokenizedString

        pretokenized = PreTokenizedString(text)
        pretokenized.split(lambda _, whole: slices(whole, pieces))
        if self.normalizer is not None:
            pretokenized.normalize(self.normalizer.normalize)
        return pretokenized

    def _normalized_matches(
        self, text: str, pieces: list[tuple[int, int]], counts: Callable[[int, int, int], bool]
    ) -> list[list[tuple[Match, Match]]]:
        """The tokens that are matched after normalization, for each piece: in the text, and in the normalized piece."""
        candidates: list[tuple[list[Match], int]] = []

        def split(_: int, piece: NormalizedString) -> list[NormalizedString]:
            content = piece.normalized
            found = self._normalized.find(content, 0, len(content), lambda *_: True)
            candidates.append((found, len(content)))
            cuts = sorted({0, len(content), *(place for match in found for place in match[:2])})
            return slices(piece, pairwise(cuts))

        pretokenized = self._normalized_pieces(text, pieces)
        pretokenized.split(split)
        # Where in the text each of the parts stands that were just cut.
        places = iter([place for _, place, _ in pretokenized.get_splits("original", "char")])
        result: list[list[tuple[Match, Match]]] = []
        for found, size in candidates:
            kept: list[tuple[Match, Match]] = []
            at = 0
            for match in found:
                if match.start > at:
                    next(places)
                start, end = next(places)
                at = match.end
                low, high = self._core(text, match.id, start, end) if match.id in self.control else (start, end)
                if counts(low, high, match.id):
                    kept.append((Match(start, end, match.id), match))
            if at < size:
                next(places)
            result.append(kept)
        return result


_pipelines: WeakKeyDictionary[Any, Pipeline] = WeakKeyDictionary()
#: Those of tokenizers that cannot be referred to weakly, as in older versions of the library: the last few.
_kept: dict[int, tuple[Any, Pipeline]] = {}
KEPT = 8
_lock = Lock()


def pipeline_of(tokenizer: Tokenizer) -> Pipeline:
    """The tokenizer's pipeline: made once, and again when tokens were added."""
    try:
        found: Pipeline | None = _pipelines.get(tokenizer)
    except TypeError:
        found = _kept[id(tokenizer)][1] if id(tokenizer) in _kept else None
    if found is None or found.size != tokenizer.get_vocab_size():
        found = Pipeline(tokenizer)
        with _lock:
            try:
                _pipelines[tokenizer] = found
            except TypeError:
                _kept[id(tokenizer)] = (tokenizer, found)
                while len(_kept) > KEPT:
                    del _kept[next(iter(_kept))]
    return found
