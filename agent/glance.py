"""A glance at the kernel's counters of every namespace that is sampled: what each second of the agent's life costs.

Our own namespace and those of processes are read from outside. Where no process is left to read through (a namespace
held by its name, whose sockets belong to processes elsewhere), a thread goes there. The edge.
"""

from collections.abc import Sequence
from typing import NamedTuple

from agent import counters
from agent.cadence import Counters, Place, is_untouched
from agent.errors import SamplingFailed
from agent.host import HostSampler
from agent.model import NetnsId
from agent.netns import OWN, Atlas, travelling
from agent.netns.entering import cookie, enter
from agent.netns.errors import EntryRefused, NamespaceGone

SETTINGS_EVERY_S = 5.0
"""How often our own settings are compared where no connection comes or goes: then no pool fills by them any faster."""


class Glance(NamedTuple):
    """What the counters tell, and what is new besides."""

    places: Sequence[Place]
    has_newcomer: bool
    is_changed: bool


def glance(sampler: HostSampler, now_s: float) -> Glance:
    """At the namespaces of the latest sample; `now_s` is monotonic. Namespaces that have ended are passed over.

    Only for the thread, and in the namespace, that samples are asked for from.
    """
    places: list[Place] = []
    own: Place | None = None
    for place, kept in list(sampler.kept.items()):
        is_own = place == sampler.own
        now = sampler.own_counters.read() if is_own else _from_outside(sampler.atlas, place, kept.tree, now_s)
        try:
            places.append(Place(kept.base, now or _from_inside(sampler.atlas, place, now_s)))
        except NamespaceGone:
            del sampler.kept[place]
        else:
            own = places[-1] if is_own else own
    has_newcomer = bool(sampler.kept) and _has_newcomer(sampler, now_s)
    if sampler.own is None or own is None:
        return Glance(places, has_newcomer, is_changed=False)
    return Glance(places, has_newcomer, _is_changed(sampler, sampler.own, now_s, is_untouched=is_untouched(own)))


def is_as_before(sampler: HostSampler, now_s: float) -> bool:
    """Whether a glance would tell what the latest one told, if that found nothing new; `now_s` is monotonic.

    What most seconds of an idle host take: text compared with text, of our own namespace where no other is followed.
    For the thread of `glance`.
    """
    own = sampler.own
    if own is None or sampler.kept.keys() != {own} or not sampler.own_counters.stand_still():
        return False
    return not (_has_newcomer(sampler, now_s) or _is_changed(sampler, own, now_s, is_untouched=True))


def _has_newcomer(sampler: HostSampler, now_s: float) -> bool:
    return set(sampler.only) != {OWN} and sampler.atlas.has_newcomer(now_s)


def _from_outside(atlas: Atlas, place: NetnsId, tree: int, now_s: float) -> Counters | None:
    """By the files of its processes; a number may be another process's by now, so the file must be the same one."""
    sighting = atlas.sighting(place, now_s)
    for pid in sighting.pids if sighting else ():
        found = counters.read(f"/proc/{pid}/net")
        if found and found[1] == tree:
            return found[0]
    return None


def _from_inside(atlas: Atlas, place: NetnsId, now_s: float) -> Counters | None:
    """By going there, after another look around if need be. Raises NamespaceGone where it has ended."""
    for anew in (False, True):
        sighting = atlas.sighting(place, now_s, anew=anew)
        if sighting is None:
            break
        try:
            return travelling(_visit, sighting.ways, place)
        except NamespaceGone:
            continue
        except EntryRefused:
            return None
    raise NamespaceGone(place.name)


def _visit(ways: Sequence[str], place: NetnsId) -> Counters | None:
    enter(ways, place.inode)
    if cookie() != place.cookie:
        raise NamespaceGone(place.name)
    found = counters.read()
    return found[0] if found else None


def _is_changed(sampler: HostSampler, own: NetnsId, now_s: float, *, is_untouched: bool) -> bool:
    """Whether our own namespace lends its ports otherwise than at the latest sample."""
    if is_untouched and now_s - sampler.settings_read_at_s < SETTINGS_EVERY_S:
        return False
    try:
        is_changed = sampler.own_settings.read() != sampler.samplers[own].decisive
    except SamplingFailed:
        return True
    if not is_changed:
        sampler.settings_read_at_s = now_s
    return is_changed
