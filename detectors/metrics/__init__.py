"""How well governance works: one fold over what came in and what was published, and estimates with intervals."""
