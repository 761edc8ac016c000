"""Generated and mutated templates, rendered here and by Jinja's sandbox: the texts must be equal.

`python -m tests.fuzz --count 1000 --seed 7 --show 20 --reduce` from the root of the repository explores.
"""
