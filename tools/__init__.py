"""Helpers behind the Makefile; nothing here is installed."""
