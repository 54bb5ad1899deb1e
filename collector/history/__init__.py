"""History: snapshots as columns, compressed into chunks, and rolled up into coarser ones."""
