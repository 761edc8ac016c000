"""A reference that is itself a template: Jinja text."""

from __future__ import annotations

from .source import Access, TemplateSource


def read(reference: object, access: Access) -> TemplateSource | None:
    """The text itself when it holds a tag or a print statement; a path object is never a template."""
    if isinstance(reference, str) and ("{{" in reference or "{%" in reference):
        return TemplateSource.of(reference)
    return None
