"""GET /v1/alerts, GET /v1/transitions."""

from aiohttp import web

from collector.alerts.evaluate import Case
from collector.alerts.step import AlertState
from collector.api.answer import told
from collector.api.cursor import AfterAlert, BeforeId, cursor_of, page_of
from collector.api.operation import params_of
from collector.api.parameters import MOST_ITEMS
from collector.api.shapes import alert_shape, transition_shape
from collector.services import SERVICES
from collector.storage import alerts
from collector.storage.alerts import PastTransition, Place

ORDERS = ("occupancy", "name")


async def list_alerts(request: web.Request) -> web.Response:
    """Where each alert stands, the hottest first."""
    params = params_of(request)
    state = params.choice("state", tuple(AlertState))
    states = tuple(AlertState) if state is None else (AlertState(state),)
    limit = params.integer("limit", default=MOST_ITEMS, low=1, high=MOST_ITEMS)
    after = cursor_of(params, AfterAlert)
    place = Place(after.is_pool, after.occupancy, after.name, after.id) if after else None
    by_name = params.choice("order", ORDERS) == "name"
    async with request.app[SERVICES].db.reading() as connection:
        found = await alerts.page(connection, states, limit + 1, place, by_name=by_name)
    return told(page_of(found, limit, lambda one: alert_shape(one[1]), _cursor))


async def list_transitions(request: web.Request) -> web.Response:
    """How alerts came to stand where they do, the latest change first."""
    params = params_of(request)
    limit = params.integer("limit", default=100, low=1, high=MOST_ITEMS)
    before, host_name = cursor_of(params, BeforeId), params.text("host")
    async with request.app[SERVICES].db.reading() as connection:
        found = await alerts.history(
            connection, limit=limit + 1, host_name=host_name, before_id=before.id if before else None
        )
    return told(page_of(found, limit, transition_shape, _before))


def _cursor(one: tuple[Place, Case]) -> AfterAlert:
    place = one[0]
    return AfterAlert(place.is_pool, place.occupancy, place.name, place.id)


def _before(one: PastTransition) -> BeforeId:
    return BeforeId(one.id)
