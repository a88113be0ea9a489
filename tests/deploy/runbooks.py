"""Executes docs/runbooks.md: its blocks marked `run`, as they stand, on a package that is installed under a folder, with the sample county.

usage: runbooks.py PROJECT ROOT PACKAGE     CHDB_LIB names the ClickHouse library; leaves what was counted in ROOT/metrics

The machine's folders are ROOT's; systemctl, apt-get and chown are those of tests/deploy/stand-ins. What comments `<!-- run: … -->` say happens is
done here, and after each restore every case, move and line of the audit must be there once.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

project, root, package = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
state, kept = root / "var/lib/wensheng", root / "srv/wensheng"
ENVIRONMENT = os.environ | {
    "ROOT": str(root),
    "PROJECT": str(project),
    "PATH": f"{project}/tests/deploy/stand-ins:{root}/usr/bin:{os.environ['PATH']}",
    # Alone on a busy machine, nobody reads its log but when it fails.
    "RUST_LOG": "warn",
}
PASSWORD = "溪水清清-2026-runbook"
PATIENCE = 180


def shell(commands):
    for folder in ("/etc/wensheng", "/var/lib/wensheng", "/srv/wensheng"):
        commands = re.sub(rf"(?<![\w.]){folder}", str(root) + folder, commands)
    return subprocess.run(["bash", "-euo", "pipefail", "-c", commands], env=ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True).stdout


def addresses():
    return json.loads((state / "standalone.json").read_text())


def ask(url, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
        return answer.read().decode()


def wait_for(what, holds):
    """Until it has held for three seconds on end, for much goes on at a time."""
    end, since = time.monotonic() + PATIENCE, None
    while since is None or time.monotonic() - since < 3:
        if not holds():
            since = None
        elif since is None:
            since = time.monotonic()
        if time.monotonic() > end:
            sys.exit(f"waited in vain for {what}; the log is {root}/log")
        time.sleep(0.3)


TABLES = ("assessments", "alerts", "signals", "case_events")


def archived():
    def count(table):
        return int(ask(addresses()["clickhouse"], f"SELECT count() FROM wensheng.{table} FINAL".encode()))

    return {table: count(table) for table in TABLES}


def store(path):
    """What the runbooks promise to keep."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row

        def rows(query):
            return [tuple(row) for row in connection.execute(query)]

        return {
            "cases": rows("SELECT id, event, state, level, version FROM cases ORDER BY id"),
            "moves": rows("SELECT case_id, sequence, action, actor, note FROM moves ORDER BY case_id, sequence"),
            "accounts": rows("SELECT name, role FROM users ORDER BY name"),
            "audit": rows("SELECT number, account, action, hash FROM audit ORDER BY number"),
        }


def settled():
    """All of the sample is in the archive, all moves are too, and nothing changes any more."""
    try:
        counts, moves = archived(), len(store(state / "responder.sqlite")["moves"])
    except urllib.error.HTTPError:
        # The analyzer has not made the tables yet.
        return False
    same, settled.last = counts == settled.last, counts
    return same and counts["assessments"] > 0 and counts["case_events"] == moves


settled.last = None


def a_day_on_duty():
    """The sample's posts become cases, and one is decided."""
    secrets = root / "etc/wensheng/secrets/standalone"
    (secrets / "ADMIN_PASSWORD").write_text(PASSWORD + "\n")
    for settings in (root / "etc/wensheng").glob("*.toml"):
        settings.write_text(settings.read_text().replace("/var/lib/wensheng", str(state)))
    shell("systemctl start wensheng-standalone")
    if (state / "initial-administrator.txt").exists():
        sys.exit("the administrator's password was not read from the credentials")
    wait_for("the sample's cases", settled)
    # For metrics.py: what was counted meanwhile.
    processes = ("collector", "analyzer", "responder")
    (root / "metrics").write_text("".join(ask(f"{addresses()[process]}/metrics") for process in processes))
    decide()


def decide():
    """A decision that could be lost."""
    token = shell(
        "wensheng-responder --config /etc/wensheng/responder.toml token add admin --label runbooks"
        " --scope cases:read --scope cases:move --days 1"
    )
    token = re.search(r"wensheng_\S+", token)[0]
    console = addresses()["console"]
    [case] = json.loads(ask(f"{console}api/v1/cases?state=pending&limit=1", token=token))["items"]
    move = {"action": "dismiss", "version": case["version"], "note": "演练：恢复后应当还在的一次处置"}
    ask(f"{console}api/v1/cases/{case['id']}/moves", json.dumps(move).encode(), token)
    wait_for("the decision in the archive", settled)


def happens(what):
    if what == "another case is decided":
        wait_for("the start after the nightly backup", settled)
        decide()
        happens.archived = archived()
    elif what == "everything in /var/lib/wensheng is lost":
        os.killpg(int((root / "pid").read_text()), signal.SIGKILL)
        for engine in ("broker", "clickhouse"):
            wait_gone(state / engine)
        shutil.rmtree(state)
    elif what == "a new package lies in /srv/wensheng/new":
        same_as_backup("after the restore")
        (kept / "new").mkdir()
        shutil.copy(package, kept / "new")
    elif what == "the archive is damaged":
        same_as_backup("after the upgrade and the way back")
    else:
        sys.exit(f"docs/runbooks.md: nobody knows how to make it happen that {what}")


def wait_gone(folder):
    """An engine ends with its parent; it must let go of its files first."""
    end = time.monotonic() + 30
    while any(str(folder).encode() in command(pid) for pid in pathlib.Path("/proc").iterdir() if pid.name.isdigit()):
        if time.monotonic() > end:
            sys.exit(f"who uses {folder} does not end")
        time.sleep(0.1)


def command(process):
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def same_as_backup(when):
    wait_for(f"the archive {when}", settled)
    before, now = store(kept / "last-hour/responder.sqlite"), store(state / "responder.sqlite")
    for what in ("cases", "moves", "accounts"):
        if now[what] != before[what]:
            missing, more = set(before[what]) - set(now[what]), set(now[what]) - set(before[what])
            sys.exit(f"{when}, of {len(before[what])} {what} {len(missing)} are missing and {len(more)} are new: {list(missing | more)[:4]}")
    if now["audit"][: len(before["audit"])] != before["audit"]:
        sys.exit(f"{when} the audit does not begin with that of the backup")
    counts = archived()
    if counts != happens.archived:
        sys.exit(f"{when} the archive holds {counts}, before {happens.archived}")
    print(f"{when}: {len(now['cases'])} cases, {len(now['moves'])} moves, {len(now['audit'])} lines of audit, {counts}")


text = (project / "docs/runbooks.md").read_text()
steps = re.findall(r"^## (.*)$|^<!-- run: (.*) -->$|^```sh run\n([\s\S]*?)^```$", text, re.M)
try:
    a_day_on_duty()
    heading, done = "", 0
    for title, event, commands in steps:
        heading = title or heading
        if event:
            happens(event)
        if commands:
            print(f"  {heading}: {commands.strip().splitlines()[0]} …", flush=True)
            shell(commands)
            done += 1
    same_as_backup("after the archive was loaded")
    if done < 9:
        sys.exit(f"docs/runbooks.md has only {done} blocks to run")
    shell("systemctl stop wensheng-standalone")
finally:
    if (root / "pid").exists():
        os.killpg(int((root / "pid").read_text()), signal.SIGKILL)
