"""Every bound of the wire in one place: what an agent may send is what a collector accepts."""

MAX_BODY_BYTES = 1024 * 1024
"""Also bounds what a hostile body costs: msgpack's densest bomb, empty maps, inflates 64 times."""
MAX_POOLS = 10_000
MAX_NAMESPACES = 1_024
MAX_SETTINGS = 64
MAX_LABELS = 32
MAX_NAME_CHARS = 253
"""Host, namespace and label names and values: as long as a DNS name (RFC 1035, section 2.3.4)."""
MAX_FAILURE_CHARS = 1_024
MAX_UNREADABLE = 16
"""Reasons why part of a host is not in its snapshot; agents add the rest up."""
MAX_OWNERS = 512
"""Distinct owners a snapshot names; only hot pools have one."""
MAX_OWNER_CHARS = 120
MAX_EVIDENCE = 64
"""Different phrases that applications of one host logged between two snapshots."""
MAX_EVIDENCE_CHARS = 200
MAX_CLAIMS = 512
"""Stretches of ports that one namespace names as wanted: 2 KiB."""
MAX_FEATURES = 32
"""What an agent says it can do."""
MAX_SEQ = 2**53 - 1
"""Sequence numbers and times stay exact as JSON numbers (RFC 8259, section 6)."""
MAX_TIME_MS = 2**53 - 1
MAX_INTERVAL_MS = 24 * 3_600_000
MAX_COUNT = 2**31 - 1
"""A total over a namespace; the kernel cannot hold more sockets."""
