"""Executes the blocks of docs/runbooks.md marked `run` on a package that is installed under a folder, with the sample county.

usage: one_machine.py PROJECT ROOT PACKAGE     CHDB_LIB names the ClickHouse library; leaves what was counted in ROOT/metrics

systemctl, apt-get and chown are those of tests/deploy/stand-ins. After each restore every case, move and line of the audit must be there, once.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import sys
import time

from runbook import Runbook, archived, ask, dismiss_one, wait_for

runbook = Runbook(sys.argv[1], sys.argv[2])
root, package = runbook.root, pathlib.Path(sys.argv[3]).resolve()
state, kept = root / "var/lib/wensheng", root / "srv/wensheng"
PASSWORD = "溪水清清-2026-runbook"


def addresses():
    return json.loads((state / "standalone.json").read_text())


def store(path):
    """What the runbooks promise to keep."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        def rows(query):
            return connection.execute(query).fetchall()

        return {
            "cases": rows("SELECT id, event, state, level, version FROM cases ORDER BY id"),
            "moves": rows("SELECT case_id, sequence, action, actor, note FROM moves ORDER BY case_id, sequence"),
            "accounts": rows("SELECT name, role FROM users ORDER BY name"),
            "audit": rows("SELECT number, account, action, hash FROM audit ORDER BY number"),
        }


class Settled:
    """All of the sample is in the archive, all moves are too, and nothing changes any more."""

    last = None

    def __call__(self):
        counts = archived(addresses()["clickhouse"])
        same, self.last = counts is not None and counts == self.last, counts
        return same and counts["assessments"] > 0 and counts["case_events"] == len(store(state / "responder.sqlite")["moves"])


settled = Settled()


def a_day_on_duty():
    """The sample's posts become cases, and one is decided."""
    (root / "etc/wensheng/secrets/standalone/ADMIN_PASSWORD").write_text(PASSWORD + "\n")
    for settings in (root / "etc/wensheng").glob("*.toml"):
        settings.write_text(settings.read_text().replace("/var/lib/wensheng", str(state)))
    runbook.shell("systemctl start wensheng-standalone")
    if (state / "initial-administrator.txt").exists():
        sys.exit("the administrator's password was not read from the credentials")
    wait_for("the sample's cases", settled)
    # For metrics.py: what was counted meanwhile.
    processes = ("collector", "analyzer", "responder")
    (root / "metrics").write_text("".join(ask(f"{addresses()[process]}/metrics") for process in processes))
    decide()


def decide():
    told = runbook.shell(
        "wensheng-responder --config /etc/wensheng/responder.toml token add admin --label runbooks"
        " --scope cases:read --scope cases:move --days 1")
    token = re.search(r"wensheng_\S+", told)[0]
    dismiss_one(addresses()["console"].rstrip("/"), token, "演练：恢复后应当还在的一次处置")
    wait_for("the decision in the archive", settled)
    settled.promised = settled.last


def happens(what):
    if what == "another case is decided":
        wait_for("the start after the nightly backup", settled)
        decide()
    elif what == "everything in /var/lib/wensheng is lost":
        os.killpg(int((root / "pid").read_text()), signal.SIGKILL)
        wait_until_nobody_uses(state)
        shutil.rmtree(state)
    elif what == "the new package lies in /srv/wensheng/new, that of before in /srv/wensheng/old":
        same_as_backup("after the restore")
        # There is one version so far, which is both.
        for folder in ("new", "old"):
            (kept / folder).mkdir()
            shutil.copy(package, kept / folder)
    elif what == "the archive is damaged":
        same_as_backup("after the upgrade and the way back")
    else:
        sys.exit(f"docs/runbooks.md: nobody knows how to make it happen that {what}")


def wait_until_nobody_uses(folder):
    """An engine ends with its parent, and must let go of its files first."""
    end = time.monotonic() + 30
    while any(str(folder).encode() in command(process) for process in pathlib.Path("/proc").glob("[0-9]*")):
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
    if settled.last != settled.promised:
        sys.exit(f"{when} the archive holds {settled.last}, before {settled.promised}")
    print(f"  {when}: {len(now['cases'])} cases, {len(now['moves'])} moves, {len(now['audit'])} lines of audit, {settled.last}")


try:
    a_day_on_duty()
    runbook.execute("run", happens, 9)
    same_as_backup("after the archive was loaded")
    runbook.shell("systemctl stop wensheng-standalone")
finally:
    if (root / "pid").exists():
        os.killpg(int((root / "pid").read_text()), signal.SIGKILL)
