"""What schemathesis sends as a snapshot: good ones, and bytes that are none. Loaded by its command, as hooks."""

import schemathesis
from hypothesis import strategies as st

from shared import wire
from tests.builders import a_failure, a_reading, a_snapshot

GOOD = [wire.encode(a_snapshot(a_reading(held), host="lb9", seq=seq)) for seq, held in enumerate((10, 290), start=1)]
CONFLICTING = wire.encode(a_failure("no netlink"))

schemathesis.openapi.media_type(wire.CONTENT_TYPE, st.sampled_from([*GOOD, CONFLICTING]) | st.binary(max_size=200))
