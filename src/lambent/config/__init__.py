"""Every setting of the server, in one table, and where their values come from."""

from lambent.config.kinds import Setting, SettingsError
from lambent.config.settings import Settings, table
from lambent.config.sources import CONFIG_VARIABLE, FILE_NAME, READY_FILE, SYSTEM_FILE, load, search_path

__all__ = [
    "CONFIG_VARIABLE",
    "FILE_NAME",
    "READY_FILE",
    "SYSTEM_FILE",
    "Setting",
    "Settings",
    "SettingsError",
    "load",
    "search_path",
    "table",
]
