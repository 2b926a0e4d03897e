"""Policy sets that are published while workers run: the topic, what it holds, and who reads it."""
