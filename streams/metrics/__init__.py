"""Governance metrics: read from archives and topics, reported, followed and published."""
