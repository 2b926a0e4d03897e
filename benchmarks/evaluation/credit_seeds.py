"""Credit alone in some simulations, for less than the whole evaluation takes.

python -m benchmarks.evaluation.credit_seeds [--seeds 101,102]
"""

import argparse
import json
from collections.abc import Sequence

from benchmarks.evaluation.credit_simulations import (
    EVERY_DAYS,
    FIRST_DAYS,
    SimulatedCredit,
    simulated_credit,
    summarise,
)
from benchmarks.evaluation.credit_snapshots import CreditSnapshots
from benchmarks.evaluation.simulations import SEEDS, simulation_of
from config.settings import Settings
from streams.archive import ArchiveRecord
from streams.evaluation.archive_run import evaluation_judge, run_archive


def credit_of_seed(seed: int) -> SimulatedCredit:
    """What credit the merchants of one simulation had."""
    simulation = simulation_of(seed)
    settings = Settings()
    judge = evaluation_judge(settings)
    credit = CreditSnapshots(judge.policies.credit["merchant"], FIRST_DAYS, EVERY_DAYS, truth=simulation.bad_shares)
    records = (ArchiveRecord(record.topic, record.key, record.value, record.timestamp) for record in simulation)
    run_archive(records, judge, credit, seed=settings.worker.seed, begun=credit.begun)
    return simulated_credit(credit, simulation)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, and print all figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation.credit_seeds")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="by default those of the evaluation")
    seeds = [int(each) for each in parser.parse_args(arguments).seeds.split(",")]
    print(json.dumps(summarise({seed: credit_of_seed(seed) for seed in seeds}), indent=2))


if __name__ == "__main__":
    main()
