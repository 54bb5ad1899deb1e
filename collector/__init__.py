"""The collector: keeps history, answers questions, raises alerts. Runs once for a fleet."""
