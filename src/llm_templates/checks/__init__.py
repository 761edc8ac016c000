"""What can be told of a template or a conversation before it is used."""

from .stability import Case, Change, StabilityReport, stability

__all__ = ["Case", "Change", "StabilityReport", "stability"]
