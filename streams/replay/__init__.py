"""Replay: history through the same core, with a state of its own and no way to act."""
