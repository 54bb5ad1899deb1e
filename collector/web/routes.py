"""What the page is made of."""

from aiohttp import web

from collector.web.assets import serve_asset
from collector.web.history import show_history, show_levels
from collector.web.live import prepare, stream
from collector.web.overview import show_fleet, show_hosts
from collector.web.past import show_drift, show_near_misses
from collector.web.place import show_backend, show_host
from collector.web.plan import show_plan
from collector.web.pool import show_chart, show_pool
from collector.web.rollout import show_rollout
from collector.web.session import form, log_in, log_out, page
from collector.web.silence import end_silence, show_alerts, silence_alert


def add_page(app: web.Application) -> None:
    """Serve the page from this app."""
    prepare(app)
    app.add_routes(
        [
            web.get("/", page(show_fleet)),
            web.get("/hosts", page(show_hosts)),
            web.get("/host", page(show_host)),
            web.get("/pool", page(show_pool)),
            web.get("/pool/chart.svg", page(show_chart)),
            web.get("/backend", page(show_backend)),
            web.get("/history", page(show_history)),
            web.get("/history/chart.svg", page(show_levels)),
            web.get("/alerts", page(show_alerts)),
            web.get("/drift", page(show_drift)),
            web.get("/rollout", page(show_rollout)),
            web.get("/near-misses", page(show_near_misses)),
            web.get("/plan", page(show_plan)),
            web.post("/silence", form(silence_alert)),
            web.post("/silence/end", form(end_silence)),
            web.get("/live", page(stream)),
            web.post("/login", log_in),
            web.post("/logout", form(log_out)),
            web.get("/static/{hash}/{name}", serve_asset),
        ]
    )
