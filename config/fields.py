"""What the sections of the settings share: kinds of values, secrets from files, the base class.

Passwords and keys can be given as a value or as ``NAME_file``, a file that holds the value (one trailing line break is
dropped), which is how container platforms hand out secrets.
"""

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, model_validator


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _topic_name(name: str) -> str:
    # Kafka's own rule (org.apache.kafka.common.internals.Topic).
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) or name in (".", ".."):
        raise ValueError("a topic name has 1 to 249 letters, digits, '.', '_' or '-'")
    return name


def _identifier(name: str) -> str:
    # No ':' (it separates the parts of our Redis keys) and no braces (they mark the hash tag of a shard).
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", name):
        raise ValueError("use 1 to 64 letters, digits, '.', '_' or '-'")
    return name


ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
TopicName = Annotated[str, AfterValidator(_topic_name)]
Identifier = Annotated[str, AfterValidator(_identifier)]


def read_secret_files(data: Any, names: tuple[str, ...]) -> Any:
    """Fill each secret of ``names`` from its ``NAME_file``.

    Raises ValueError if both are given, or the file can't be read or is empty; never with the secret in the message.
    """
    if not isinstance(data, dict):
        return data
    data = dict(data)
    for name in names:
        path = data.get(f"{name}_file")
        if path is None:
            continue
        if data.get(name) is not None:
            raise ValueError(f"both {name} and {name}_file are given; keep one of them")
        try:
            secret = Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ValueError(f"{name}_file: can't read {path} ({reason})") from None
        if not secret:
            raise ValueError(f"{name}_file: {path} is empty")
        data[name] = SecretStr(secret)
    return data


class Section(BaseModel):
    """What all sections share: frozen, no unknown keys, checked defaults, no input values in error texts."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    #: Fields that may also be given as ``NAME_file``.
    secrets: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, data: Any) -> Any:
        return read_secret_files(data, cls.secrets)
