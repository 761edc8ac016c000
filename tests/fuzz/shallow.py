"""Render in a thread with a stack of 256 KiB, where Python may recurse 200 deep: `python -m fuzz.shallow COUNT SEED`.

Prints what became of the templates. An exception that is not ours ends the process with its traceback; so does a crash.
"""

from __future__ import annotations

import collections
import sys
import threading
import traceback

from llm_templates import TemplatesError
from llm_templates.engine import compile_template

from .contexts import CONTEXTS
from .run import cases
from .worker import Case

STACK, DEPTH = 256 * 1024, 200

#: Templates that are deep on purpose, in the ways a template can be.
DEEP = tuple(
    pattern.replace("OPEN", opening * count).replace("CLOSE", closing * count)
    for count in (5, 12, 20, 40, 90, 400, 5000)
    for pattern, opening, closing in (
        ("{{ OPEN1CLOSE }}", "(", ")"),
        ("{{ OPENCLOSE }}", "[", "]"),
        ("{{ OPEN1CLOSE }}", "{1:", "}"),
        ("{{ OPEN1CLOSE }}", "range(", ")|length"),
        ("{{ 1CLOSE }}", "", " + 1"),
        ("{{ 1CLOSE }}", "", " ~ 1"),
        ("{{ 'a'CLOSE }}", "", "|upper"),
        ("{{ dataCLOSE }}", "", ".x"),
        ("{{ wordsCLOSE }}", "", "[0]"),
        ("{{ OPEN1 }}", "not ", ""),
        ("{{ OPEN1 }}", "- ", ""),
        ("{{ OPEN1CLOSE }}", "1 if n else ", ""),
        ("{{ true CLOSE }}", "", "and true "),
        ("{{ 1 CLOSE }}", "", "< 2 "),
        ("OPENxCLOSE", "{% if true %}", "{% endif %}"),
        ("OPENxCLOSE", "{% for a in [1] %}", "{% endfor %}"),
        ("OPENxCLOSE", "{% with %}", "{% endwith %}"),
        ("OPENxCLOSE", "{% filter upper %}", "{% endfilter %}"),
        ("OPENxCLOSE", "{% set a %}", "{% endset %}"),
        ("OPENxCLOSE", "{% macro m() %}", "{% endmacro %}"),
        ("OPENxCLOSE", "{% generation %}", "{% endgeneration %}"),
        ("{% if n %}aCLOSE{% endif %}", "", "{% elif n %}b"),
        ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(9CLOSE) }}", "", " + 1"),
        ("{% set ns = namespace(a=[]) %}CLOSE{{ ns.a|tojson }}{{ ns.a == ns.a }}", "", "{% set ns.a = [ns.a] %}"),
        ("{% for x in [OPENCLOSE] recursive %}{{ loop(x) }}{% endfor %}", "[", "]"),
    )
)


def render_all(work: list[Case], counts: collections.Counter[str], untyped: list[str]) -> None:
    """What the thread does."""
    for case in work:
        try:
            compile_template(case.source, mutable=False).render(CONTEXTS[case.context]())
            counts["text"] += 1
        except TemplatesError as error:
            counts[type(error).__name__] += 1
            str(error)
        except BaseException:
            untyped.append(f"{case.source[:300]!r} [{case.context}]\n{traceback.format_exc(limit=-4)}")


def main() -> int:
    """Render the deep templates and some of a fuzz run. The exit status is 1 when an exception is not ours."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    work = [*(Case(source, "plain") for source in DEEP), *cases(seed, count)]
    counts: collections.Counter[str] = collections.Counter()
    untyped: list[str] = []
    threading.stack_size(STACK)
    thread = threading.Thread(target=render_all, args=(work, counts, untyped))
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(DEPTH)
    thread.start()
    thread.join()
    sys.setrecursionlimit(before)
    print(f"{len(work)} templates in a shallow thread: {dict(counts.most_common())}, {len(untyped)} untyped")
    print(*untyped[:5], sep="\n")
    return 1 if untyped or sum(counts.values()) < len(work) else 0


if __name__ == "__main__":
    sys.exit(main())
