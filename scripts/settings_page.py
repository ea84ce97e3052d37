"""Writes docs/reference/settings.md from the table in lambent.config."""

from pathlib import Path

from lambent.config import FILE_NAME, SYSTEM_FILE, Setting, table

PAGE = Path(__file__).parent.parent / "docs/reference/settings.md"

_HEAD = f"""<!-- Made by scripts/settings_page.py: change src/lambent/config/settings.py instead. -->
# Settings

Every setting is a flag of `lambent start`, an environment variable and a key of a TOML file. A flag goes before the
variable, the variable before the file, the file before the default. A variable that is empty counts as not set.

The file is the one that `--config` or `LAMBENT_CONFIG` names; else `{FILE_NAME}` in the data directory; else
`{SYSTEM_FILE}`. Its keys are the names below, of which `runtime_image` alone is a table. An unknown key or
a bad value ends the server before it starts.

```toml
port = 9000
log_format = "json"
runtime_paths = ["/opt/python/bin"]

[runtime_image]
"ruby3.3" = "public.ecr.aws/lambda/ruby:3.3"
```
"""


def page() -> str:
    return "\n".join([_HEAD, *map(_section, table())])


def _section(setting: Setting) -> str:
    value = setting.kind.says + (f" ({setting.unit})" if setting.unit else "")
    flag = f"{setting.flag}, --no-{setting.name}" if setting.is_switch else f"{setting.flag} VALUE"
    return f"""## {setting.name}
{setting.description}

| flag | variable | value | default |
|---|---|---|---|
| `{flag}` | `{setting.variable}` | {value} | {setting.default_says} |
"""


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
