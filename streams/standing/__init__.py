"""`shopwarden standing`: the latest standing of a merchant or creator."""
