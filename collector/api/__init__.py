"""Answers questions over HTTP, as JSON. Lists are `{"items": [...]}`."""
