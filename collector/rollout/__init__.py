"""The fleet's configuration brought to its hosts, a few at a time."""
