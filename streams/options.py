"""What all commands share: the ``--config`` option and settings whose mistakes end in exit code 2."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from config.settings import Settings, SettingsError, load_settings

P = ParamSpec("P")
R = TypeVar("R")

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file of settings (else SHOPWARDEN_CONFIG, else ./shopwarden.toml).",
)


def settings_or_usage_error(config_file: Path | None = None, **overrides: Any) -> Settings:
    """Load the settings; mistakes become a click.UsageError (exit code 2)."""
    try:
        return load_settings(config_file, **overrides)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


def pass_settings(function: Callable[Concatenate[Settings, P], R]) -> Callable[..., R]:
    """Add ``--config`` to a command and pass it the settings as its first argument."""

    @config_option
    @wraps(function)
    def command(*args: Any, config_file: Path | None = None, **kwargs: Any) -> R:
        return function(settings_or_usage_error(config_file), *args, **kwargs)

    return command
