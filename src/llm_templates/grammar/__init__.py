"""Output to message: what a template's output looks like, and the machine that reads it."""
