"""Takes snapshots in: authenticate, decode, append, and only then say so."""
