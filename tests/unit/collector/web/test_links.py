"""Addresses of views."""

import pytest

from collector.api.params import InvalidParameter, Params
from collector.web.links import (
    POOL_KEYS,
    backend_link,
    host_link,
    pool_link,
    pool_of,
    pool_query,
    safe_path,
    with_query,
)
from shared.model import Kind, Pool
from tests.builders import a_pool

BIND = Pool("host", Kind.BIND, a_pool().local)


@pytest.mark.parametrize("pool", [a_pool(), a_pool(netns="a b&c"), a_pool(local="fd00::1", peer="fd00::2"), BIND])
def test_a_query_leads_back_to_its_pool(pool: Pool) -> None:
    assert pool_of(Params(pool_query("lb 1", pool).items(), POOL_KEYS)) == ("lb 1", pool)


@pytest.mark.parametrize("query", [{}, {"host": "a"}, {"host": "a", "local": "::1", "peer": "::2"}])
def test_half_a_name_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        pool_of(Params(query.items(), POOL_KEYS))


def test_links_escape_what_hosts_call_themselves() -> None:
    assert host_link("a&b=<c>") == "/host?host=a%26b%3D%3Cc%3E"
    assert backend_link("[::1]:80") == "/backend?peer=%5B%3A%3A1%5D%3A80"
    assert pool_link("lb&1", a_pool()).startswith("/pool?host=lb%261&netns=host&kind=connect&local=127.0.0.1&peer=")


def test_a_changed_query_leaves_out_what_is_empty() -> None:
    assert with_query("/", {"role": "edge", "page": "3"}, page=None, sort="left") == "/?role=edge&sort=left"
    assert with_query("/", {}) == "/"


@pytest.mark.parametrize("text", ["https://evil.example", "//evil.example", "/\\evil.example", "", "/a\nb", "x"])
def test_whatever_may_lead_elsewhere_leads_home(text: str) -> None:
    assert safe_path(text) == "/"


def test_a_path_of_ours_is_kept() -> None:
    assert safe_path("/pool?host=a&x=1") == "/pool?host=a&x=1"
