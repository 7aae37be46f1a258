"""Settings of the connector, from the environment or the section ``vulnlens`` of ``config.yml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pycti import get_config_variable
from vulnlens_client import MIN_SCORE

TLP_LEVELS = ("TLP:CLEAR", "TLP:WHITE", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
#: What is sent of techniques and patterns that follow from weaknesses through MITRE's catalogues.
DERIVED = ("linked", "none")


class SettingError(Exception):
    """A setting that makes no sense: its name, its value, and what to give."""


@dataclass(frozen=True)
class Settings:
    """The settings.

    Without ``url``, the package ``vulnlens`` answers in the process of the connector. ``max_confidence`` bounds the
    confidence of all that is sent, whatever its score.
    """

    url: str | None = None
    api_key: str | None = None
    model: str | None = None
    timeout: float = 60
    min_score: float = MIN_SCORE
    max_tlp: str = "TLP:AMBER"
    max_confidence: int = 60
    derived: str = "linked"

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Settings:
        """Reads the settings; one that makes no sense is an error that names it."""

        def text(name: str) -> str | None:
            # pycti makes a truth value of words such as "yes"; none of these settings is one.
            value = get_config_variable(f"VULNLENS_{name.upper()}", ["vulnlens", name], dict(config))
            return None if value is None or value == "" else str(value)

        def number(name: str, default: float, least: float, most: float) -> float:
            value = text(name)
            try:
                found = default if value is None else float(value)
            except ValueError:
                found = float("nan")
            if not least <= found <= most:
                raise SettingError(f"VULNLENS_{name.upper()}: {value!r} is not a number from {least:g} to {most:g}")
            return found

        def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
            value = text(name) or default
            if value not in choices:
                raise SettingError(f"VULNLENS_{name.upper()}: {value!r} is not one of {', '.join(choices)}")
            return value

        return cls(
            url=text("url"),
            api_key=text("api_key"),
            model=text("model"),
            timeout=number("timeout", 60, 1, 3600),
            min_score=number("min_score", MIN_SCORE, 0, 1),
            max_tlp=choice("max_tlp", "TLP:AMBER", TLP_LEVELS),
            max_confidence=round(number("max_confidence", 60, 0, 100)),
            derived=choice("derived", "linked", DERIVED),
        )
