"""Data sets at scale."""
