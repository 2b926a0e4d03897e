"""``python -m tests.faults``: break things time after time, and compare with an undisturbed run."""

import sys
from pathlib import Path

import click
from rich.console import Console

from tests.faults import report
from tests.faults.campaign import Campaign, Load, run_campaign
from tests.faults.catalogue import FAULTS

BROKERS = ("kafka", "embedded")


def chosen_faults(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """The names in a comma-separated list; all if it is empty."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in FAULTS:
            raise click.BadParameter(f"there is no fault {name!r}; choose from {', '.join(FAULTS)}")
    return names or list(FAULTS)


@click.command()
@click.option("--kills", type=click.IntRange(1), default=50, help="Kills; other faults are tried in proportion.")
@click.option("--faults", callback=chosen_faults, default="", help="Names, separated by commas; all if left out.")
@click.option("--broker", type=click.Choice([*BROKERS, "both"]), default="kafka", help="Real Apache Kafka, or ours.")
@click.option("--seed", type=int, default=1, help="Of the moments and of the stream.")
@click.option("--rate", type=click.FloatRange(1), default=300.0, help="Records a second that are fed meanwhile.")
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Folder that keeps the workers' logs.")
@click.option("--report", "document", is_flag=True, help="Also write the table into docs/reliability.md.")
def main(kills: int, faults: list[str], broker: str, seed: int, rate: float, logs: Path | None, document: bool) -> None:
    """Exit code 1 if anything was lost, doubled, missing, invented or changed, or a worker got stuck."""
    console = Console(width=max(150, Console().width))
    done: list[Campaign] = []
    for name in faults:
        fault = FAULTS[name]
        for where in BROKERS if broker == "both" else (broker,):
            if where not in fault.brokers:
                continue
            tries = max(1, round(kills * fault.share))
            console.print(f"{name} on {where}, {tries} times …")
            campaign = run_campaign(fault(), where, tries, Load(seed, rate), logs and logs / f"{name}-{where}")
            done.append(campaign)
            console.print(report.table([campaign]))
            for example in [campaign.failure, *campaign.verdict.examples]:
                if example:
                    console.print(f"  {example}", style="red", markup=False, highlight=False)
            for complaint, times in campaign.complaints.items():
                console.print(f"  {times}× {complaint}", style="dim", markup=False, highlight=False)
            rows = report.write(campaign)
            if document:
                report.write_document(rows)
    console.print(report.table(done))
    sys.exit(0 if all(campaign.survived for campaign in done) else 1)


if __name__ == "__main__":
    main(prog_name="make faults")
