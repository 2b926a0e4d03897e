"""Credit of merchants and creators: a ledger of points in the open, a probability of harm, and tiers."""
