"""Programs that measure what docs/performance.md says, one file a figure; run them with `make bench`."""
