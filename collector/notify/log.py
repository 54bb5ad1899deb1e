"""The channel that always is there: one readable line in the collector's log."""

import logging

from collector.alerts.rules import PAGE, PLAN
from collector.storage.outbox import Owed
from shared.logs import fields

log = logging.getLogger(__name__)
_LEVELS = {PAGE: logging.CRITICAL, PLAN: logging.WARNING}


class LogChannel:
    """Writes `PAGE lb1: 10.0.0.1 -> 10.0.0.2:80 holds …`, and which rule said so."""

    name = "log"
    timeout_s = 1.0

    async def send(self, owed: Owed) -> str:
        """One line; never fails."""
        told = owed.document
        level = _LEVELS.get(told["severity"], logging.WARNING) if told["state"] == "firing" else logging.INFO
        log.log(level, "%s", told["summary"], extra=fields(rule=told["rule"], key=owed.key))
        return "logged"
