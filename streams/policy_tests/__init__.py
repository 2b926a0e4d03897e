"""Runs policy tests: events in, decisions out, in memory."""
