"""What tests of whole collectors ask for."""

from collections.abc import Iterator

import pytest

from tests.collector_process import run
from tests.postgres import Cluster, cluster, why_none


@pytest.fixture
def server() -> Iterator[Cluster]:
    """A PostgreSQL of the test's own, migrated: it may be killed."""
    if reason := why_none():
        pytest.skip(reason)
    with cluster() as made:
        assert run("migrate", "--database", made.url()).returncode == 0
        yield made
