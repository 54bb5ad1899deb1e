"""Tells people: each notice to each channel at least once, every attempt written down."""
