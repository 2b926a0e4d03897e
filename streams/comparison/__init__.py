"""Reads recorded runs for comparison, and shows what came of it: table, JSON, page."""
