"""No record, however broken, stops a worker or is lost in it."""

from pathlib import Path

import pytest

from streams.embedded import EmbeddedServices
from tests.fuzz.mutations import MUTATIONS, mutated_records
from tests.fuzz.worker_path import run_worker

#: ``make fuzz`` feeds 20,000.
RECORDS = 3_000


@pytest.mark.slow
def test_every_mutated_record_passes_through_a_worker(services: EmbeddedServices, tmp_path: Path) -> None:
    """Each record is applied, or is a dead letter once, with its own bytes and the decoder's reason; the worker goes on
    and stops cleanly.
    """
    outcome = run_worker(mutated_records(3, RECORDS), services, tmp_path)
    assert outcome.fed == outcome.processed + outcome.dead_letters == RECORDS
    assert outcome.counts.keys() == set(MUTATIONS)
    assert outcome.exit_code == 0
