"""Executes the blocks of docs/runbooks.md marked `run apart`: three brokers of Apache Kafka, PostgreSQL, ClickHouse and the three programs.

usage: apart.py PROJECT ROOT     PROGRAMS names the folder of the programs, CHDB_LIB the ClickHouse library

docker and Kafka's tools are those of tests/deploy/stand-ins. Posts come all the time; at the end each must be in the archive, once, and what was
decided before the database was backed up must be as it was.
"""

import json
import re
import shutil
import subprocess
import sys

from runbook import Runbook, archived, ask, dismiss_one, wait_for

runbook = Runbook(sys.argv[1], sys.argv[2])
root, project = runbook.root, runbook.project
posts = (project / "deploy/sample/posts.jsonl").read_text().splitlines(keepends=True)
PASSWORD = "溪水清清-2026-runbook"


def compose(command):
    return runbook.shell(f"docker compose -f deploy/compose.yaml {command}")


def clickhouse():
    return f"http://127.0.0.1:{(root / 'clickhouse.port').read_text().strip()}"


def console():
    return f"http://127.0.0.1:{(root / 'apart/responder.ports').read_text().split()[0]}"


class Collected:
    """The posts that were published so far are in the archive, each once."""

    published = 0

    def more(self, number):
        with (root / "export.jsonl").open("a") as export:
            export.writelines(posts[self.published : self.published + number])
        self.published += number

    def __call__(self):
        counts = archived(clickhouse())
        return counts is not None and counts["assessments"] == self.published


collected = Collected()


def cases():
    items, token = [], dismissed["token"]
    while page := json.loads(ask(f"{console()}/api/v1/cases?limit=200&offset={len(items)}", token=token))["items"]:
        items += page
    return {case["id"]: case for case in items}


class Quiet:
    """All moves are in the archive, and no case came meanwhile."""

    last = None

    def __call__(self):
        moves = archived(clickhouse())["case_events"]
        now = (moves, len(cases()))
        same, self.last = now == self.last, now
        return same and moves >= now[1]


quiet = Quiet()
dismissed = {}


def a_day_on_duty():
    (root / "sources.d").mkdir(parents=True)
    (root / "secrets").mkdir()
    (root / "secrets/WENSHENG_ADMIN_PASSWORD").write_text(PASSWORD + "\n")
    (root / "sources.d/export.toml").write_text(
        '[[source]]\nname = "信箱导出"\nregion = "990101"\nevery_seconds = 1\n[source.import]\nfile = "../export.jsonl"\n')
    collected.more(60)
    brokers = subprocess.run(
        [project / "tests/kafka/run", "start", "--brokers", "3", "--dir", root / "kafka"],
        check=True, stdout=subprocess.PIPE, text=True)
    (root / "kafka.addresses").write_text(brokers.stdout.strip())
    compose("up --detach postgres clickhouse responder analyzer collector")
    wait_for("the first posts in the archive", collected)
    told = runbook.shell(
        f"CREDENTIALS_DIRECTORY={root}/secrets $PROGRAMS/responder --config {root}/apart/responder.toml token add admin --label runbooks"
        " --scope cases:read --scope cases:move --days 1")
    dismissed["token"] = re.search(r"wensheng_\S+", told)[0]
    dismissed["case"] = dismiss_one(console(), dismissed["token"], "演练：备份前的处置")
    wait_for("its cases", quiet)


def happens(what):
    if what == "posts come":
        # After the backup of the database, so that their cases are in no backup.
        collected.more(30)
    elif what == "broker kafka-2 and its disk are lost":
        wait_for("the posts that came during the upgrade", collected)
        compose("stop kafka-2")
        shutil.rmtree(root / "kafka/log-2")
        collected.more(30)
        wait_for("the posts that came while a broker was away", collected)
    elif what == "the archive is lost":
        wait_for("its moves", quiet)
        collected.before = archived(clickhouse())
        compose("stop clickhouse")
        shutil.rmtree(root / "clickhouse")
        compose("up clickhouse")
    elif what == "the database is lost":
        wait_for("the archive again", lambda: archived(clickhouse()) == collected.before)
        dismissed["cases"] = cases()
        compose("stop postgres")
    else:
        sys.exit(f"docs/runbooks.md: nobody knows how to make it happen that {what}")


try:
    a_day_on_duty()
    runbook.execute("run apart", happens, 6)
    before = dismissed["cases"]
    wait_for("the cases that were in no backup", lambda: set(cases()) >= set(before))
    collected.more(len(posts) - collected.published)
    wait_for("the posts after all that", collected)
    wait_for("their cases", quiet)
    now = cases()
    if now[dismissed["case"]]["state"] != "dismissed":
        sys.exit(f"the case that was decided is {now[dismissed['case']]}")
    events = [case["event"] for case in now.values()]
    if len(events) != len(set(events)):
        sys.exit("an event has two cases")
    print(f"  apart: {collected.published} posts once, {len(now)} cases, of which {len(before)} from before the database was lost")
finally:
    subprocess.run(
        ["docker", "compose", "-f", "deploy/compose.yaml", "stop", "collector", "analyzer", "responder", "clickhouse", "postgres"],
        env=runbook.environment, cwd=project, check=False)
    subprocess.run([project / "tests/kafka/run", "stop", "--dir", root / "kafka"], check=False)
