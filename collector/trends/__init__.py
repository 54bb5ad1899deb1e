"""How pools went over time."""
