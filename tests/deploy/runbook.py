"""What one_machine.py, apart.py and ../contributing/region.py share: the marked blocks of a page, a shell in which the machine's folders are those under a folder of
the test, and waiting."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

PATIENCE = 180


class Runbook:
    def __init__(self, project, root, page="docs/runbooks.md"):
        self.project, self.root, self.page = pathlib.Path(project).resolve(), pathlib.Path(root).resolve(), page
        self.environment = os.environ | {
            "ROOT": str(self.root),
            "PROJECT": str(self.project),
            "PATH": f"{self.project}/tests/deploy/stand-ins:{self.root}/usr/bin:{os.environ['PATH']}",
            # Nobody reads its log but when it fails.
            "RUST_LOG": "warn",
        }

    def shell(self, commands):
        """Runs them as they stand, but for where the machine's folders are; what they print is for an operator."""
        for folder in ("/etc/wensheng", "/var/lib/wensheng", "/srv/wensheng"):
            commands = re.sub(rf"(?<![\w.]){folder}", str(self.root) + folder, commands)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            env=self.environment, cwd=self.project, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"this failed with {done.returncode}; the log is {self.root}/log\n{commands}\n{done.stdout}")
        return done.stdout

    def execute(self, mark, happens, least):
        """The blocks with this mark, in order; `happens` makes happen what comments with it say."""
        text = (self.project / self.page).read_text()
        pattern = rf"^## (.*)$|^<!-- {mark}: (.*) -->$|^```sh {mark}\n([\s\S]*?)^```$"
        heading, done = "", 0
        for title, event, commands in re.findall(pattern, text, re.M):
            heading = title or heading
            if event:
                print(f"  - {event}", flush=True)
                happens(event)
            if commands:
                print(f"  {heading}: {commands.strip().splitlines()[0]} …", flush=True)
                self.shell(commands)
                done += 1
        if done < least:
            sys.exit(f"{self.page} has only {done} blocks marked `{mark}`")


def ask(url, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return answer.read().decode()


def dismiss_one(console, token, note):
    """A decision that could be lost."""
    [case] = json.loads(ask(f"{console}/api/v1/cases?state=pending&limit=1", token=token))["items"]
    move = {"action": "dismiss", "version": case["version"], "note": note}
    ask(f"{console}/api/v1/cases/{case['id']}/moves", json.dumps(move).encode(), token)
    return case["id"]


def archived(clickhouse):
    """How many there are of what, or nothing before the analyzer has made the tables."""
    def count(table):
        return int(ask(clickhouse, f"SELECT count() FROM wensheng.{table} FINAL".encode()))

    try:
        return {table: count(table) for table in ("assessments", "alerts", "signals", "case_events")}
    except urllib.error.HTTPError:
        return None


def wait_for(what, holds):
    """Until it has held for three seconds on end, for much goes on at a time."""
    end, since = time.monotonic() + PATIENCE, None
    while since is None or time.monotonic() - since < 3:
        if not holds():
            since = None
        elif since is None:
            since = time.monotonic()
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.3)
