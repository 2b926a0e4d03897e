"""What the worker is measured against: ``make bench``.

Every competitor is a process of its own, reads the same records from the same topics of one embedded broker, and is
timed from its first record to its last; starting, joining the group and stopping count for none. Rounds alternate, so
that a machine that slows down does so for all, and the figure of each is the median of its rounds.
"""
