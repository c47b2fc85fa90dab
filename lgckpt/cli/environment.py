"""`--from-env VAR`: a URL taken from the environment, where it would stand on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lgckpt.errors import ConfigurationError

OPTION = "--from-env"
MARK = "env:"


def in_place(args: Sequence[str]) -> list[str]:
    """Replace each `--from-env VAR` by a word that stands for the URL in `VAR`.

    So it takes the place of the URL, and of either of two: `migrate --from-env SRC DST`.

    Raises:
        ConfigurationError: No variable is named.
    """
    found: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            return [*found, word, *words]
        name, equals, value = word.partition("=")
        if name == OPTION:
            variable = value if equals else next(words, "")
            if not variable:
                raise ConfigurationError(f"{OPTION} needs the name of an environment variable")
            found.append(MARK + variable)
        else:
            found.append(word)
    return found


def url_of(word: str) -> str:
    """The URL that a word is, or stands for.

    Raises:
        ConfigurationError: The variable is not set.
    """
    if not word.startswith(MARK):
        return word
    name = word[len(MARK) :]
    found = os.environ.get(name, "")
    if not found:
        raise ConfigurationError(
            f"{OPTION} {name}: there is no such environment variable, or it is empty"
        )
    return found
