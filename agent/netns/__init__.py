"""The network namespaces of this host: found, named, entered.

`Atlas` is what the rest of the agent uses; naming is pure, discovery and entering are the edge.
"""

from agent.netns.atlas import Atlas, current, is_meant
from agent.netns.entering import cpu_s, travelling
from agent.netns.errors import UnknownNamespace
from agent.netns.naming import HOST, OWN

__all__ = ["HOST", "OWN", "Atlas", "UnknownNamespace", "cpu_s", "current", "is_meant", "travelling"]
