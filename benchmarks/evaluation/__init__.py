"""``make evaluate``: how good the judgement is, on labelled simulations and on public data."""
