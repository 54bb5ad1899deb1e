"""Debian's Icinga, started by hand in a folder of its own: it schedules monitoring plugins. No service is involved."""

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = shutil.which("icinga2", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
"""Debian has it where an ordinary user's PATH does not lead."""
_ITS_OWN = """
object IcingaApplication "app" { }
object CheckerComponent "checker" { }
object PerfdataWriter "told" {
  service_perfdata_path = DataDir + "/told"
  service_temp_path = DataDir + "/being-told"
  host_perfdata_path = DataDir + "/host-told"
  host_temp_path = DataDir + "/host-being-told"
  service_format_template = "$service.name$\\t$service.state$\\t$service.output$\\t$service.perfdata$"
  rotation_interval = 1
}
object CheckCommand "nothing" { command = [ "/bin/true" ] }
object Host "lb1" {
  check_command = "nothing"
  enable_active_checks = false
}
"""
_SERVICE = """
object CheckCommand "{name}" {{ command = {command} }}
object Service "{name}" {{
  host_name = "lb1"
  check_command = "{name}"
  check_interval = 1
  retry_interval = 1
  max_check_attempts = 1
}}
"""


def why_none() -> str | None:
    """Why it cannot be started here; None where it can."""
    return None if PROGRAM else "icinga2-bin is not installed: run `make deps`"


def command(folder: Path, plugin: Path, services: Mapping[str, Sequence[str]]) -> list[str]:
    """What starts it: each service is the plugin's `check` with these arguments, once a second."""
    config = folder / "icinga2.conf"
    written = [
        _SERVICE.format(name=name, command=_list([str(plugin), "check", *arguments]))
        for name, arguments in services.items()
    ]
    config.write_text(_ITS_OWN + "".join(written))
    user = pwd.getpwuid(os.geteuid()).pw_name
    known = {"RunAsUser": user, "RunAsGroup": user, "NodeName": "lb1", "ConfigDir": str(folder)}
    for name in ("DataDir", "CacheDir", "InitRunDir", "LogDir", "SpoolDir"):
        (folder / name).mkdir()
        known[name] = str(folder / name)
    return [str(PROGRAM), "daemon", "-c", str(config), *(f"-D{name}={value}" for name, value in known.items())]


def latest(folder: Path) -> dict[str, list[str]]:
    """Of each service [state, output, performance data] as it was told last.

    Output of several lines is cut after the first; the data, which come after all of it, are then not among them.
    """
    files = sorted(folder.glob("DataDir/told.*"), key=lambda path: int(path.suffix[1:]))
    rows = [line.split("\t") for path in files for line in path.read_text().splitlines()]
    return {name: rest for name, *rest in rows if len(rest) > 1}


def _list(words: Sequence[str]) -> str:
    return "[ " + ", ".join(f'"{one}"' for one in words) + " ]"
