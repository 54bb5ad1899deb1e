"""What to watch, and what to make of it. Pure: decided here, written down and sent elsewhere."""
