"""Scores what the core makes of an archive of events against a file of who was malicious."""
