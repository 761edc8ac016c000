"""A server of llama.cpp, inside of this process."""

import gc
from contextlib import contextmanager

from .wire import Server


@contextmanager
def served(file):
    """A server with the model of a file, on a free port of this machine."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.n_ctx = 2048
    params.warmup = False
    params.ui = False
    params.verbosity = 0
    # A last message of the assistant is a message, not the beginning of one.
    params.prefill_assistant = False
    # More threads only wait for each other at this size.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    running = xllamacpp.Server(params)
    server = Server(running.listening_address)
    # Once it has written something it is wholly up; one that is ended before may never end.
    server.ask("/completion", prompt="", n_predict=1)
    try:
        yield server
    finally:
        # It ends with its object.
        del running
        gc.collect()
