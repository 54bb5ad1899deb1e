"""What can be measured."""

from collector.alerts.conditions import CONDITIONS, Scope
from collector.alerts.observe import _MEASURES


def test_every_condition_of_a_pool_has_its_measure() -> None:
    of_pools = {name for name, condition in CONDITIONS.items() if Scope.POOL in condition.scopes}
    assert of_pools == set(_MEASURES)
