"""The ground that stories of an agent and a far collector happen on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ground import Ground, Prepared, a_ground, prepared


@pytest.fixture(scope="session")
def ready_for_ground(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def ground(tmp_path: Path, namespaces: None, ready_for_ground: Prepared) -> Iterator[Ground]:
    del namespaces
    with a_ground(tmp_path, ready_for_ground) as made:
        yield made
