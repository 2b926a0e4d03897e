"""A candidate policy set in shadow: a worker of its own over the same input, which can touch nothing that is live.

It has a group, a namespace in Redis and output topics of its own, made from the live ones' names, and every output says
``mode: shadow``. It reads the live input topics and nothing else that is live: not the live topic of policies either,
so its folder rules.
"""

import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from config.settings import Settings
from config.topics import TopicSettings

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
#: Beginning of the names of everything that belongs to shadows.
PREFIX: Final = "shadow-"


class ShadowError(Exception):
    """A shadow that cannot be; the message says why."""


class Shadow(Struct, frozen=True):
    """A shadow's name, and the settings of its workers."""

    name: str
    settings: Settings


def shadow_of(live: Settings, name: str, policies: Path | None = None) -> Shadow:
    """The shadow of a deployment under a name; ``policies`` is the folder that it judges by.

    Raises
    ------
    ShadowError
        The name can't be one, or the settings are those of a shadow already.
    """
    if _NAME.fullmatch(name) is None:
        raise ShadowError(f'"{name}" cannot be a name: up to 31 lower-case letters, digits and hyphens')
    if live.worker.mode == "shadow" or live.topics.events.startswith(PREFIX):
        raise ShadowError("these are the settings of a shadow already; give it those of the live deployment")
    begin = f"{PREFIX}{name}-"
    topics = live.topics
    own = {field: begin + topics.name(field) for field in TopicSettings.NAMES if field not in TopicSettings.INPUTS}
    worker = live.worker.model_copy(
        update={
            "mode": "shadow",
            "group_id": begin + live.worker.group_id,
            "namespace": begin + live.worker.namespace,
        }
    )
    update: dict[str, object] = {"worker": worker, "topics": topics.model_copy(update=own)}
    if policies is not None:
        update["policy_dir"] = policies
    return Shadow(name, live.model_copy(update=update))
