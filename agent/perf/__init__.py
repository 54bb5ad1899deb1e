"""Kernel tracepoints read through perf_event_open(2): no BPF, no fork, no helper library.

`layout`, `request` and `records` are pure; `syscalls`, `tracefs` and `ring` are the edge; `watcher` puts them together.
"""
