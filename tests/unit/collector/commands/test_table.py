"""Tables for people."""

from collector.commands.table import as_csv, cell, pool_of, table

POOL = {"kind": "connect", "local_ip": "10.0.0.1", "peer_ip": "10.0.0.2", "peer_port": 8080}


def test_columns_are_aligned_and_numbers_stand_to_the_right() -> None:
    rows = [{**POOL, "host": "lb1", "held": 24_512}, {**POOL, "host": "lb-eu-2", "held": 7}]
    assert table(rows, ("host", "pool", "held")).splitlines() == [
        "host     pool                        held",
        "lb1      10.0.0.1 → 10.0.0.2:8080  24,512",
        "lb-eu-2  10.0.0.1 → 10.0.0.2:8080       7",
    ]


def test_what_is_not_known_is_a_dash() -> None:
    assert [cell("max", {}), cell("max", {"max": None}), cell("max", {"max": 0})] == ["–", "–", "0"]


def test_times_and_shares_are_for_people() -> None:
    assert cell("hour_ms", {"hour_ms": 1_795_348_800_000}) == "2026-11-22 12:00:00"
    assert cell("skew_ms", {"skew_ms": -1_250}) == "-1,250"
    assert cell("occupancy", {"occupancy": 0.9234}) == "92.3 %"
    assert cell("p95", {"p95": 0.5}) == "50.0 %"


def test_pools_of_every_kind_have_a_name() -> None:
    assert pool_of({**POOL, "peer_ip": "fd00::2"}) == "10.0.0.1 → [fd00::2]:8080"
    assert pool_of({"kind": "bind", "local_ip": "10.0.0.1", "peer_ip": "*", "peer_port": 0}) == "10.0.0.1 (bind)"


def test_csv_has_values_as_they_are() -> None:
    text = as_csv([{"host": "lb1", "states": {"TIME_WAIT": 1}, "occupancy": 0.5}, {"host": "a,b", "owner": ""}])
    assert text == 'host,occupancy,owner\nlb1,0.5,\n"a,b",,\n'
