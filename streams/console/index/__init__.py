"""What the console remembers of the topics: tables in SQLite, written by one thread and read by many."""
