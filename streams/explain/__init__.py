"""The history behind a decision: what is known of a merchant, an order or a listing, and what was said and done."""
