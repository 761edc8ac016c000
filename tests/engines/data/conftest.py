"""The engines, each started once, on two cores."""

import os
import shutil
import sys
from contextlib import chdir

import pytest

# Workers are to run what the tests run, and nothing is to call home.
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
os.environ["RAY_DATA_DISABLE_PROGRESS_BARS"] = "1"

#: What the engines say about themselves, whoever calls them.
THEIR_OWN = (
    "ignore::DeprecationWarning:ray.data.context",
    "ignore:PySpark does not yet fully support pandas:FutureWarning",
)


def pytest_configure(config):
    for line in THEIR_OWN:
        config.addinivalue_line("filterwarnings", line)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where the engines are started, which is where they look for files."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="session")
def datasets():
    """Hugging Face datasets."""
    return pytest.importorskip("datasets", reason="datasets is not installed")


@pytest.fixture(scope="session")
def cluster(folder):
    """Ray Data on a local cluster of two cores."""
    ray = pytest.importorskip("ray", reason="ray is not installed")
    with chdir(folder):
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def spark(folder):
    """A session of Spark with two workers."""
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        pytest.skip("Spark needs Java, and there is none on this machine")
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is not installed")
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    # A worker takes many small batches, so that rows come from more than one.
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "64")
    with chdir(folder):
        session = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
