"""The compiler: a syntax tree to the source of a Python module, over the functions of one dialect."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple

from jinja2 import nodes

from ...errors import BudgetError, SecurityError, TemplateSyntaxError
from .. import arithmetic, calls, comparison, formatting, iteration, making, printing, reading, selection
from ..budget import Limits
from ..values import CLOSED, CLOSED_ITEMS, MISSING, Loop, Macro, Namespace, Text, Undefined
from .options import Options
from .statements import Statements

#: What reading a key or an index of a value of the closed world raises where there is none.
READ_ERRORS = (KeyError, TypeError, IndexError)

#: Every name generated code may use besides its own constants.
DIALECT: dict[str, Any] = {
    **{
        function.__name__: function
        for function in (
            *(printing.text, printing.join, printing.finish, printing.concat),
            *(reading.attribute, reading.item, reading.part, reading.lowered),
            *(calls.call, calls.call_method, calls.call_item),
            *(
                iteration.sequence,
                iteration.pairs,
                iteration.filter_pairs,
                iteration.unpack,
                iteration.spread,
                iteration.spread_keywords,
            ),
            *(arithmetic.add, arithmetic.subtract, arithmetic.multiply, arithmetic.divide, arithmetic.floor_divide),
            *(arithmetic.power, arithmetic.negative, arithmetic.positive, formatting.modulo),
            *(comparison.equal, comparison.unequal, comparison.contains, comparison.absent),
            *(comparison.less, comparison.less_equal, comparison.greater, comparison.greater_equal),
            selection.list_having,
            *(
                making.new_list,
                making.new_tuple,
                making.new_dict,
                making.assign,
                making.require_text,
                making.fail,
            ),
        )
    },
    "MISSING": MISSING,
    "CLOSED": CLOSED,
    "CLOSED_ITEMS": CLOSED_ITEMS,
    "READ_ERRORS": READ_ERRORS,
    "NAMESPACE_ERRORS": (AttributeError, KeyError),
    "Loop": Loop,
    "Macro": Macro,
    "Namespace": Namespace,
    "Undefined": Undefined,
    "TEXTS": frozenset({str, Text}),
    "SecurityError": SecurityError,
    # The only builtins generated code reaches.
    "__builtins__": {
        builtin.__name__: builtin
        for builtin in (
            AttributeError,
            IndexError,
            dict,
            enumerate,
            id,
            isinstance,
            len,
            list,
            str,
            tuple,
            type,
            int,
            float,
            bool,
        )
    },
}


class Program(NamedTuple):
    """A compiled template."""

    #: `root(run, values, ...)` gives the text; `values` are those of `taken`, and the parameters follow.
    root: Callable[..., str]
    #: The code object of the module, by whose name tracebacks are recognised.
    code: CodeType
    #: The generated source, for those who want to read it.
    source: str
    #: The template line of each line of `source`.
    lines: list[int]
    #: The names the template takes from its context, in the order it first does.
    reads: tuple[str, ...]
    #: Those of `reads` that are not parameters, each with what it is when the context does not have it.
    taken: tuple[tuple[str, Undefined], ...]
    #: Whether the template changes values in place, and may.
    changes: bool


def compile_tree(tree: nodes.Template, source: str, options: Options, limits: Limits) -> Program:
    """Compile what `syntax.parse` gave for `source`."""
    compiler = Statements(source, options, limits)
    try:
        compiler.template(tree)
    except AssertionError as error:
        # Jinja2's analysis of names passes over the filters of a set block, and Jinja2 itself fails on them like this.
        raise TemplateSyntaxError(str(error) or "a name cannot be told apart", line=compiler.emit.line) from None
    generated = compiler.emit.source()
    try:
        code = compile(generated, FILE_NAME, "exec", dont_inherit=True)
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise BudgetError(f"the template is too large or too deep for Python's compiler: {error}") from None
    taken = tuple((name, Undefined(f"{name!r} is undefined")) for name in compiler.taken())
    dialect = DIALECT
    if options.traced:
        from ..traced import DIALECT as TRACED

        dialect = {**DIALECT, **TRACED}
    space = {**dialect, **compiler.emit.constants}
    exec(code, space)  # noqa: S102  (the engine's own generated source, which holds nothing of the template)
    return Program(
        space["root"], code, generated, compiler.emit.origins, tuple(compiler.reads), taken, compiler.changes
    )


#: The file name of generated code.
FILE_NAME = "<llm_templates>"
