"""Exact accounts: how many more connect() succeed, from sockets read one by one and the rules of the kernel. Pure.

`question` says who asks, `connect` and `udp` answer with a `Derivation`: the sums a person can follow, and bounds that
contain the truth wherever the kernel hides it.
"""
