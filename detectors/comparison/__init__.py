"""Compares what two runs decided: recorded and replayed, or under two policy sets."""
