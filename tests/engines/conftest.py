"""What the tests with real engines run with: the header says which of them are here."""

from importlib.metadata import PackageNotFoundError, version

#: What is too heavy for the other tests.
HEAVY = ("torch", "transformers", "xllamacpp", "gguf", "datasets", "pyarrow", "ray", "pyspark", "trl")


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not here"


def pytest_report_header(config):
    return "engines: " + ", ".join(f"{package} {_version(package)}" for package in HEAVY)
