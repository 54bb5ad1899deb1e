"""Observations as documents. Those of real cases are in contract/collector/storage/test_alerts.py."""

import json
from math import inf

from hypothesis import given
from hypothesis import strategies as st

from collector.alerts.observe import Forecast, Observation
from collector.alerts.record import document_of, observation_of
from shared.model import Reading
from shared.tcp import State
from tests.builders import a_pool, a_reading

counts = st.integers(0, 65_535)
readings = st.builds(
    Reading,
    st.just(a_pool()),
    counts,
    counts,
    counts,
    counts,
    st.dictionaries(st.sampled_from(list(State)), counts),
    counts,
    st.text(max_size=9),
    st.sampled_from([None, False, True]),
    counts,
)


@given(reading=readings, is_bound=st.booleans())
def test_what_is_kept_comes_back(*, reading: Reading, is_bound: bool) -> None:
    seen = Observation(reading, is_bound, Forecast(90.5, 2.0))
    assert observation_of(json.loads(json.dumps(document_of(seen))), reading.pool) == seen


def test_what_the_version_before_wrote_down_is_read() -> None:
    document = document_of(Observation(a_reading()))
    del document["recyclable"]
    assert observation_of(document, a_pool()) == Observation(a_reading())


def test_never_is_kept_as_unknown() -> None:
    """JSON has no infinity."""
    assert "forecast" not in document_of(Observation(a_reading(), forecast=Forecast(inf, 0.0)))
