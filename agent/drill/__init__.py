"""A rehearsed incident: a pool of our own filled in a namespace of our own, and its alert followed to its end.

`ground` is the namespace and `asking` the collector's API, the edges; `timeline` and `words` are pure.
"""
