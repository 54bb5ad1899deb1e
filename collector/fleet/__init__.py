"""The hosts as a fleet: who reports, who is silent, which pools are hottest."""
