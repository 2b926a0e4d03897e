"""What can go wrong in a replay."""

from typing import Final

from config.policies import PolicyError
from detectors.apply import ApplyError
from streams.archive import ArchiveError
from streams.olist_tables import OlistError
from streams.reading import ReadError


class ReplayError(Exception):
    """The replay can't go on; the message says why."""


#: What becomes a ReplayError: the records or the policies can't be used, or (an ApplyError) a record made the core
#: fail, which is a fault of ours.
FAILURES: Final = (ApplyError, ArchiveError, OlistError, PolicyError, ReadError)
