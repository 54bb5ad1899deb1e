"""sock_diag: the kernel's own list of sockets, asked for over netlink without a fork and without a helper library.

`request` builds the question, `messages` and `records` read the answer (both pure), `sock_diag` is the socket between.
"""
