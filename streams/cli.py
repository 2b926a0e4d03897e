"""The ``shopwarden`` command: finds a subcommand by name and loads only that one."""

import importlib

import click

#: Subcommand -> module under streams.commands that holds a click command called ``command``.
COMMANDS = {
    "backfill": "backfill",
    "compare": "compare",
    "console": "console",
    "contracts": "contracts",
    "dead-letters": "dead_letters",
    "demo": "demo",
    "dev": "dev",
    "doctor": "doctor",
    "evaluate": "evaluate",
    "experiment": "experiment",
    "explain": "explain",
    "features": "features",
    "import": "import_",
    "metrics": "metrics",
    "models": "models",
    "policies": "policies",
    "probe": "probe",
    "produce": "produce",
    "record": "record",
    "replay": "replay",
    "report": "report",
    "shadow": "shadow",
    "simulate": "simulate",
    "standing": "standing",
    "topics": "topics",
    "verify": "verify",
    "worker": "worker",
}


class LazyGroup(click.Group):
    """Imports a subcommand when it is used, so that ``--help`` needs neither Faust nor River."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names for ``--help``."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a subcommand; None if there is no such."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(f"streams.commands.{module}").command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="shopwarden")
def main() -> None:
    """Streaming risk detection for marketplace governance."""
