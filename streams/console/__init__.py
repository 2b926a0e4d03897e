"""``shopwarden console``: a web page for analysts, on an index of the topics and a reader's view of Redis."""
