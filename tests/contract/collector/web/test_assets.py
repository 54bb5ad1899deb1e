"""Files that browsers keep."""

import re

from tests.browsing import browser
from tests.collecting import Collecting


async def test_a_file_is_kept_under_the_name_of_its_content(collector: Collecting) -> None:
    async with browser() as person:
        async with person.get(collector.url) as response:
            links = re.findall(r'"(/static/[^"]+)"', await response.text())
        assert len(links) == 3
        for link in links:
            async with person.get(f"{collector.url}{link}") as response:
                assert response.status == 200
                assert "immutable" in response.headers["Cache-Control"]
                tag = response.headers["ETag"]
            async with person.get(f"{collector.url}{link}", headers={"If-None-Match": tag}) as response:
                assert response.status == 304


async def test_what_is_not_there_is_not_found(collector: Collecting) -> None:
    async with browser() as person:
        for path in ("/static/0000/style.css", "/static/0000/..%2fsession.py", "/static/x/none.css"):
            async with person.get(f"{collector.url}{path}") as response:
                assert response.status == 404
