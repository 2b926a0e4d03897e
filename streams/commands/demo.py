"""``shopwarden demo``: a simulated marketplace against a worker, with a live page."""

import os
from pathlib import Path

import click

#: Seconds of playing where none are given: a simulated day takes two.
DEFAULT_SECONDS = 180.0
DEFAULT_RATE = 2_000.0
DEFAULT_REPORT = Path("build/demo.json")


@click.command()
@click.option(
    "--duration",
    type=click.FloatRange(min=1, max=86_400),
    help=f"Seconds of playing; without it {DEFAULT_SECONDS:.0f}, with a live page if there is a terminal.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulation.")
@click.option(
    "--rate",
    type=click.FloatRange(min=1, max=200_000),
    default=DEFAULT_RATE,
    show_default=True,
    help="Events a second; more events make a larger marketplace.",
)
@click.option(
    "--partitions", type=click.IntRange(1, 64), default=2, show_default=True, help="Partitions, and so shards."
)
@click.option("--page/--no-page", default=None, help="Show the live page, or a line every few seconds.")
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of policy files of your own to judge by.",
)
@click.option("--console", is_flag=True, help="Open a console too, and print where to sign in.")
@click.option(
    "--json",
    "report_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_REPORT,
    show_default=True,
    help="Where to write the figures.",
)
def command(
    duration: float | None,
    seed: int,
    rate: float,
    partitions: int,
    page: bool | None,
    policies: Path | None,
    console: bool,
    report_file: Path,
) -> None:
    """Play a simulated marketplace with known attackers and watch a worker find them.

    Starts a broker and a store of its own on free loopback ports, whatever else the settings name, plays some 90
    simulated days, and ends with a summary: throughput, latency, precision and recall. Ctrl-C ends it sooner.
    """
    from rich.console import Console

    from config.policies import PolicyError
    from streams.demo.options import DemoOptions
    from streams.demo.rulebook import read_rulebook
    from streams.demo.run import DemoError, run_demo
    from streams.demo.screen import LineScreen, PageScreen, Screen
    from streams.demo.summary import print_summary, write_report

    try:
        options = DemoOptions(
            duration=duration or DEFAULT_SECONDS,
            rate=rate,
            seed=seed,
            partitions=partitions,
            policies=policies,
            console=console,
        )
        rules = read_rulebook(policies)
    except (PolicyError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    terminal = Console(highlight=False)
    live = page if page is not None else terminal.is_terminal and duration is None
    screen: Screen = PageScreen(terminal) if live else LineScreen(click.echo)
    try:
        report = run_demo(options, rules, screen, click.echo)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    print_summary(terminal, report)
    try:
        write_report(report_file, report)
    except OSError as error:
        raise click.ClickException(f"{report_file} can't be written: {error.strerror or error}") from error
    click.echo(f"\nThe figures are in {os.path.relpath(report_file)}.")
