"""``shopwarden doctor``: looks at everything a worker needs, and says what to do about what is wrong."""

from streams.doctor.findings import Finding
from streams.doctor.run import diagnose

__all__ = ["Finding", "diagnose"]
