"""The benchmark: how fast templates compile and render here, in transformers, in minijinja and by hand.

Run `python -m bench` from the root of the repository, in an environment with the `bench` dependency group.
"""
