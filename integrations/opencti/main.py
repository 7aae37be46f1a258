"""Starts the connector: settings from the environment, or from a file ``config.yml`` next to this one."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import yaml
from pycti import OpenCTIConnectorHelper
from vulnlens_opencti.connector import VulnlensConnector
from vulnlens_opencti.settings import SettingError, Settings


def read_config(path: Path) -> dict[str, Any]:
    """The sections of a file of settings; none where there is no file."""
    if not path.is_file():
        return {}
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingError(f"{path}: is not a file of sections; see config.yml.sample")
    return found


def main() -> int:
    """Runs until the process ends; the exit code is 1 if it cannot start."""
    try:
        config = read_config(Path(__file__).resolve().with_name("config.yml"))
        settings = Settings.read(config)
        helper = OpenCTIConnectorHelper(config, playbook_compatible=True)
    except (SettingError, ValueError, yaml.YAMLError) as error:
        logging.basicConfig()
        logging.getLogger("vulnlens").error("%s", error)
        return 1
    VulnlensConnector(helper, settings).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
