"""The engine: Jinja text and plain data to text, in a closed world, within a budget. It knows nothing of chat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import TracebackType
from typing import Any

from ..errors import BudgetError, TemplateRuntimeError, TemplatesError
from . import methods as methods  # fills the tables of methods
from .budget import DEFAULT_LIMITS, Limits, Scale
from .compiler import FILE_NAME, compile_tree
from .compiler.options import Options
from .excerpt import excerpt
from .filters import EXTENSION_FILTERS, FILTERS
from .globals import GLOBALS
from .mutations import copied
from .run import Run, run_type
from .syntax import parse
from .tests import TESTS
from .values import Border

__all__ = ["Border", "Limits", "Run", "Scale", "Template", "compile_template", "run_type"]

Run.tables = {"filter": FILTERS, "test": TESTS}


class Template:
    """A compiled template, without any notion of messages: `render(context)` gives its text.

    Instances are immutable, may be shared between threads, and pickle as their source and options.
    """

    __slots__ = ("_options", "_program", "limits", "root", "source")

    def __init__(self, source: str, options: Options, limits: Limits) -> None:
        self.source = source
        self._options = options
        self.limits = limits
        try:
            tree = parse(source, trim_blocks=options.trim_blocks, lstrip_blocks=options.lstrip_blocks, limits=limits)
            self._program = compile_tree(tree, source, options, limits)
        except RecursionError:
            raise BudgetError("the template is nested too deep for the Python stack that is left") from None
        #: The compiled function: `run` without the care for errors, for callers that see to them by `failure`.
        self.root = self._program.root

    @property
    def reads(self) -> tuple[str, ...]:
        """The names the template takes from its context, or from the global functions, in the order it first does."""
        return self._program.reads

    @property
    def generated(self) -> str:
        """The Python source the template was compiled to."""
        return self._program.source

    def render(self, context: Mapping[str, Any], *, now: datetime | None = None) -> str:
        """The text of the template for `context`, a mapping of names to plain data.

        Raises:
            TemplatesError: whatever goes wrong, as one of its subclasses.
        """
        run = run_type(Run, self.limits, now)()
        run.mutable = self._program.changes
        shadowed = GLOBALS.keys() & context.keys()
        if shadowed and not shadowed <= self._options.shadowed:
            return self.shadowing(shadowed).render(context, now=now)
        lower = run.border.lower
        if run.mutable:
            closed = {name: copied(run, value) for name, value in context.items()}
        else:
            closed = {name: lower(value) for name, value in context.items()}
        return self.run(run, self.values(closed), *(closed.get(name) for name in self._options.parameters))

    def values(self, context: Mapping[str, Any]) -> tuple[Any, ...]:
        """The values of a context in the order `run` takes them; the same context gives the same values."""
        return tuple(context.get(name, undefined) for name, undefined in self._program.taken)

    def shadowing(self, names: Iterable[str]) -> Template:
        """The same template for contexts that give these names of global functions another value."""
        return _compiled(self.source, self._options._replace(shadowed=frozenset(names)), self.limits)

    def traced(self, shadowed: Iterable[str] = ()) -> Template:
        """The same template compiled so that text carries marks; it runs with a `TracedRun`."""
        options = self._options._replace(traced=True, shadowed=frozenset(shadowed))
        return _compiled(self.source, options, self.limits)

    def run(self, run: Run, values: tuple[Any, ...], *parameters: Any) -> str:
        """The same, with a run the caller made, and values that are lowered already.

        Args:
            run: the state of this render.
            values: what `values` gave for a context of lowered values.
            parameters: the values of the names the template was compiled with as `parameters`.
        """
        try:
            return self.root(run, values, *parameters)
        except Exception as error:  # noqa: BLE001  (whatever Python refuses in an operation is the template's error)
            raise self.failure(error) from error.__cause__

    def failure(self, error: Exception) -> TemplatesError:
        """What an exception of `root` is to the caller: typed, with the template line it happened at."""
        if isinstance(error, TemplatesError):
            failure = error
        elif isinstance(error, RecursionError):
            failure = BudgetError("the template nests deeper than the Python stack that is left")
        elif isinstance(error, MemoryError):
            failure = BudgetError("the template needs more memory than there is")
        else:
            failure = TemplateRuntimeError(_message(error))
        self._place(failure, error.__traceback__)
        return failure

    def _place(self, error: TemplatesError, traceback: TracebackType | None) -> None:
        """Give `error` the template line it happened at."""
        if error.line is not None:
            return
        line = None
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == FILE_NAME:
                number = traceback.tb_lineno - 1
                # Frames of other templates do not occur: a template cannot render another.
                line = self._program.lines[number] if number < len(self._program.lines) else None
            traceback = traceback.tb_next
        error.line = line
        error.excerpt = excerpt(self.source, line)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.source, self._options, self.limits)

    def __repr__(self) -> str:
        return f"<Template of {len(self.source)} characters>"


def _message(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"key {error} was not found"
    if isinstance(error, ZeroDivisionError):
        return "division by zero"
    return str(error) or type(error).__name__


def compile_template(
    source: str,
    *,
    trim_blocks: bool = True,
    lstrip_blocks: bool = True,
    extensions: Sequence[str] = (),
    watched: frozenset[str] = frozenset(),
    parameters: Sequence[str] = (),
    closed: Sequence[str] = (),
    mutable: bool = True,
    traced: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Template:
    r"""Compile `source`; the same arguments give the same object as long as it is among those used last.

    Args:
        source: Jinja text.
        trim_blocks: drop the newline after a block tag.
        lstrip_blocks: drop the blanks before a block tag on its line.
        extensions: names of filters that Jinja does not have and some publishers' hosts add: `from_json`, `fromjson`.
        watched: keys whose value may depend on other keys of the same dict; see `Border.whole`.
        parameters: names whose values are handed to `Template.run` one by one instead of in a mapping.
        closed: those of the parameters that are lists whose items are lowered already.
        mutable: whether the template may change lists and dicts in place (`items.append(x)`), as in plain Jinja; what
            it changes are copies. Chat templates may not, as in the reference.
        traced: whether text carries marks that say where it came from; such a template runs with a `TracedRun`.
        limits: what the template may use.

    Raises:
        TemplateSyntaxError: the text is not a template, or uses what the language does not have.
        BudgetError: it is larger or deeper than the limits allow.

    >>> compile_template("{% for x in items %}\n- {{ x }}\n{% endfor %}").render({"items": [1, "two"]})
    '- 1\n- two\n'
    """
    if not isinstance(source, str):
        raise TypeError(f"a template is text, not {type(source).__name__}")
    unknown = set(extensions) - set(EXTENSION_FILTERS)
    if unknown:
        raise ValueError(f"unknown extensions {sorted(unknown)}; there are {sorted(EXTENSION_FILTERS)}")
    return _compiled(
        source,
        Options(
            trim_blocks, lstrip_blocks, tuple(extensions), watched, tuple(parameters), tuple(closed), mutable, traced
        ),
        limits,
    )


@lru_cache(maxsize=256)
def _compiled(source: str, options: Options, limits: Limits) -> Template:
    return Template(source, options, limits)


def _rebuild(source: str, options: Options, limits: Limits) -> Template:
    return _compiled(source, options, limits)
