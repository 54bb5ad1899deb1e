"""Every view asks who is there, and lets a browser load our own files only."""

import pytest

from tests.browsing import browser
from tests.collecting import Collecting

PATHS = """/ /hosts /host?host=x /pool?host=x /pool/chart.svg /backend /history /history/chart.svg /alerts /live /drift
/near-misses /rollout /plan"""


@pytest.mark.parametrize("path", PATHS.split())
async def test_the_policy_allows_nothing_but_our_own_files(collector: Collecting, path: str) -> None:
    async with browser() as person, person.get(f"{collector.url}{path}") as response:
        policy, text = response.headers["Content-Security-Policy"], await response.text()
    assert response.status == 401
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in text
    assert "onclick" not in text
