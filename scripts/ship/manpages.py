"""Manual pages of every command, from what the program itself says of its options: see `scripts/deb`."""

import argparse
import datetime
import gzip
import json
import subprocess
from pathlib import Path

EXIT_CODES = """\
.SH EXIT STATUS
.TP
.B 0
Success.
.TP
.B 1
Refused or failed.
.TP
.B 2
Bad input.
.TP
.B 3
Of \\fBrun\\fR: connections were cut at the end of the drain.
"""

FILES = """\
.SH FILES
.TP
.I /etc/postern/postern.yaml
The settings of the service \\fBpostern.service\\fR.
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--epoch", type=int, required=True, help="Unix seconds, the date of the pages")
    parser.add_argument("--version", required=True)
    parser.add_argument("--output", type=Path, required=True, help="the folder, which must exist")
    options = parser.parse_args()
    dump = subprocess.run([options.binary, "--experimental-dump-help"], check=True, stdout=subprocess.PIPE).stdout
    date = datetime.datetime.fromtimestamp(options.epoch, datetime.timezone.utc).strftime("%Y-%m-%d")
    root = json.loads(dump)["command"]
    for words, command in commands(root, []):
        name = "-".join(words)
        text = page(words, command, date, options.version, [] if len(words) == 1 else [root["commandName"]])
        (options.output / f"{name}.1.gz").write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def commands(command: dict, above: list[str]):
    """The command and all below it, but for `help`."""
    words = above + [command["commandName"]]
    yield words, command
    for one in command.get("subcommands", []):
        if one["commandName"] != "help" and one.get("shouldDisplay", True):
            yield from commands(one, words)


def page(words: list[str], command: dict, date: str, version: str, see: list[str]) -> str:
    name = "-".join(words)
    arguments = [one for one in command.get("arguments", []) if one.get("shouldDisplay", True)]
    lines = [f'.TH {name.upper()} 1 {date} "postern {version}" "User Commands"', ".SH NAME"]
    lines.append(f"{escaped(name)} \\- {plain(command.get('abstract', '')).rstrip('.')}")
    lines += [".SH SYNOPSIS", f".B {escaped(' '.join(words))}", " ".join(map(synopsis, arguments))]
    below = [one for one in command.get("subcommands", []) if one["commandName"] != "help"]
    if below:
        lines.append("\\fIcommand\\fR ...")
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", plain(command["discussion"])]
    if arguments:
        lines.append(".SH OPTIONS")
        for one in arguments:
            lines += [".TP", heading(one), plain(one.get("abstract") or "") or "."]
            if one.get("defaultValue"):
                lines.append(f"Default: {plain(one['defaultValue'])}.")
            if one.get("allValues"):
                lines.append(f"One of: {plain(', '.join(one['allValues']))}.")
    if below:
        lines.append(".SH COMMANDS")
        for one in below:
            lines += [".TP", f"\\fB{escaped(name + '-' + one['commandName'])}\\fR(1)", plain(one.get("abstract", ""))]
    lines += [EXIT_CODES.rstrip("\n")]
    if len(words) == 1 or words[-1] == "run":
        lines += [FILES.rstrip("\n")]
    if see:
        lines += [".SH SEE ALSO", ", ".join(f"\\fB{escaped(one)}\\fR(1)" for one in see)]
    return "\n".join(lines) + "\n"


def names(argument: dict) -> list[str]:
    return [("-" if one["kind"] == "short" else "--") + one["name"] for one in argument.get("names") or []]


def heading(argument: dict) -> str:
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        return value
    shown = ", ".join(f"\\fB{escaped(name)}\\fR" for name in names(argument))
    return shown if argument["kind"] == "flag" else f"{shown} {value}"


def synopsis(argument: dict) -> str:
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] != "positional":
        # The long name, which comes last.
        name = f"\\fB{escaped(names(argument)[-1])}\\fR"
        value = name if argument["kind"] == "flag" else f"{name} {value}"
    if argument.get("isRepeating"):
        value += " ..."
    return f"[{value}]" if argument.get("isOptional") else value


def plain(text: str) -> str:
    """Text as roff reads it: no line begins with a control character; `code` is bold."""
    parts = escaped(text).split("`")
    shown = "".join(f"\\fB{part}\\fR" if index % 2 else part for index, part in enumerate(parts))
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in shown.splitlines() if line.strip())


def escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-")


if __name__ == "__main__":
    main()
