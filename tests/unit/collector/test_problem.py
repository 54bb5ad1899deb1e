"""Errors as problem documents."""

import json

import pytest

from collector.access.token import Forbidden, Unauthenticated
from collector.api.params import InvalidParameter
from collector.fleet.host import UnknownHost
from collector.ingest.admission import Overloaded
from collector.ingest.body import BrokenBody, UnsupportedMedia
from collector.problem import problem_of
from collector.storage.errors import DatabaseUnusable
from shared import wire


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (wire.TooLarge(2, 1), 413),
        (wire.UnknownSchema(9, [1]), 415),
        (wire.Malformed("seq", "an integer is needed"), 400),
        (BrokenBody("ends early"), 400),
        (UnsupportedMedia("Content-Type", "text/html", ("x/y",)), 415),
        (Unauthenticated("no token"), 401),
        (Forbidden("not yours"), 403),
        (UnknownHost("lb9"), 404),
        (InvalidParameter("peer", "no"), 400),
        (Overloaded(), 503),
        (DatabaseUnusable("/x", "disk full"), 503),
        (ZeroDivisionError("secret"), 500),
    ],
)
def test_every_error_has_its_status(error: Exception, status: int) -> None:
    response = problem_of(error).response()
    assert (response.status, response.content_type) == (status, "application/problem+json")
    assert isinstance(response.text, str)
    document = json.loads(response.text)
    assert document["status"] == status
    assert document["type"].startswith("urn:portgauge:problem:")


def test_an_unknown_schema_is_answered_with_the_known_ones() -> None:
    assert problem_of(wire.UnknownSchema(9, [1])).facts["supported"] == [1]


def test_a_query_mistake_names_its_parameter() -> None:
    assert problem_of(InvalidParameter("peer", "no")).facts == {"parameter": "peer"}


def test_the_unforeseen_does_not_tell_strangers_what_it_was() -> None:
    assert "secret" not in problem_of(ZeroDivisionError("secret")).detail


def test_the_database_s_whereabouts_stay_here() -> None:
    assert "/var/lib" not in problem_of(DatabaseUnusable("/var/lib/x.db", "disk full")).detail


def test_overload_and_refusal_carry_their_headers() -> None:
    assert problem_of(Overloaded(3)).headers == {"Retry-After": "3"}
    assert problem_of(Unauthenticated("no")).headers == {"WWW-Authenticate": "Bearer"}
