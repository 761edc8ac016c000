"""A reference that names a built-in family."""

from __future__ import annotations

from .. import families
from .source import DEFAULT, Access, TemplateSource


def read(reference: object, access: Access) -> TemplateSource | None:
    """The template and special tokens of the family of this name or alias."""
    family = families.find(reference) if isinstance(reference, str) else None
    return None if family is None else source_of(family)


def source_of(family: families.Family) -> TemplateSource:
    """The templates and special tokens of a family."""
    return TemplateSource(
        {DEFAULT: family.template, **family.variants},
        dict(family.special_tokens),
        family.name,
        f"the built-in family {family.name}",
        family=family.name,
    )
