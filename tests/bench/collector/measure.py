"""Measures Scrapy and the collector on the sites of the page server, for the program `run` beside this one.

CPU time is user and system time of the program and its children, from its start; so is the wall time. For Scrapy they
end with the program, for the collector, which does not end by itself, when its metrics tell that all posts are
published.
"""

import argparse
import http.server
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
# Of pages.rs.
POSTS_ON_A_LIST = 20
# Seconds without progress after which a run is given up.
PATIENCE = 120
# Seconds between two rounds of the feed that new posts appear in, and how many of these there are.
INTERVAL = 5
FRESH_POSTS = 20
TICKS = os.sysconf("SC_CLK_TCK")


class Run(NamedTuple):
    program: str
    pages: int
    wall: float
    cpu: float
    peak: float

    @property
    def pages_per_second(self):
        return self.pages / self.wall

    @property
    def pages_per_cpu_second(self):
        return self.pages / self.cpu


class Sample(NamedTuple):
    posts: int
    seconds: float
    memory: float


def cpu_seconds(pid):
    """User and system time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def memory(pid, field):
    """A field of /proc/PID/status, in MB."""
    told = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
    return int(told[1]) / 1024 if told else 0.0


def run_scrapy(given, pages, number):
    items = given.work / f"scrapy-{number}.jsonl"
    command = [given.scrapy, "runspider", HERE / "spider.py", "-s", "LOG_LEVEL=ERROR", "-O", items]
    command += ["-a", "ports=" + ",".join(map(str, given.ports))]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=given.work)
    try:
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
    posts = 0
    if items.exists():
        with items.open("rb") as lines:
            posts = len({json.loads(line)["url"] for line in lines})
    if process.returncode or posts != given.total:
        sys.exit(f"Scrapy ended with {process.returncode} and {posts} of {given.total} posts; see above")
    return Run("Scrapy", pages, wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


def boards(given):
    """The sites as sources."""
    return "".join(f"""
[[source]]
name = "bench-{site}"
region = "360921"
every_seconds = 86400
first_visit_days = 0
allow_private = true
[source.board]
url = "http://127.0.0.1:{site}/list"
item = "ul.posts a"
next = "a.next"
most_pages = 100000
[source.board.post]
title = "h1"
text = "div.text"
time = "span.time"
author = "span.author"
recheck_days = 0
""" for site in given.ports)


def settings(given, folder, port, sources):
    """Writes the collector's settings and sources; gives the settings file."""
    (folder / "sources.d").mkdir(parents=True)
    (folder / "sources.d" / "bench.toml").write_text(sources)
    file = folder / "collector.toml"
    file.write_text(f"""
sources = "sources.d"
state = "collector.sqlite"
author_key = {{ env = "WENSHENG_AUTHOR_KEY" }}
[kafka]
brokers = "{given.brokers}"
partitions = 6
replication = 1
[operations]
listen = "127.0.0.1:{port}"
[fetch]
delay_ms = 0
per_host = 8
most_at_once = 64
""")
    return file


def counted(port, name):
    """A counter of the collector, summed over the sources; 0 while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return 0
    return sum(int(float(value)) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.M))


def run_collector(given, pages, number, every=0.1, sample=lambda _: None):
    """Looks every so many seconds how far it is, and gives samples of that to `sample`."""
    folder, port = given.work / f"collector-{number}", free_port()
    file = settings(given, folder, port, boards(given))
    log = folder / "log"
    surroundings = os.environ | {"RUST_LOG": "warn", "WENSHENG_AUTHOR_KEY": "the benchmark's own key"}
    with log.open("wb") as out:
        started = time.monotonic()
        process = subprocess.Popen(
            [given.collector, "--config", file], stdout=out, stderr=out, env=surroundings
        )
    try:
        posts, progress = 0, started
        while posts < given.total:
            time.sleep(every)
            now = time.monotonic()
            if process.poll() is not None or now - progress > PATIENCE:
                lines = log.read_text(errors="replace").splitlines()[-10:]
                sys.exit("\n".join([f"the collector stopped at {posts} of {given.total} posts:", *lines]))
            before, posts = posts, counted(port, "wensheng_collector_posts_total")
            progress = now if posts > before else progress
            sample(Sample(posts, now - started, memory(process.pid, "VmRSS")))
        wall = time.monotonic() - started
        cpu, peak = cpu_seconds(process.pid), memory(process.pid, "VmHWM")
        refused = counted(port, "wensheng_collector_parse_failures_total")
        if posts != given.total or refused:
            sys.exit(f"the collector published {posts} of {given.total} posts and refused {refused}")
        process.terminate()
        if process.wait(30):
            sys.exit(f"the collector ended with {process.returncode} when it was stopped")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return Run("the collector", pages, wall, cpu, peak)


class Feed(http.server.BaseHTTPRequestHandler):
    """A feed of as many posts as there were by now."""

    posts = 0

    def do_GET(self):
        items = "".join(
            f"<item><title>停水{number}</title><link>/t/{number}</link></item>" for number in range(Feed.posts)
        )
        body = f"<rss version='2.0'><channel>{items}</channel></rss>".encode()
        self.send_response(200 if self.path == "/feed" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def measure_freshness(given):
    """From a post's appearance in a feed to its acknowledgement by the brokers."""
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    folder, port = given.work / "fresh", free_port()
    file = settings(given, folder, port, f"""
[[source]]
name = "fresh"
region = "360921"
every_seconds = {INTERVAL}
first_visit_days = 0
allow_private = true
[source.feed]
url = "http://127.0.0.1:{served.server_address[1]}/feed"
""")
    took = []
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen([given.collector, "--config", file], stdout=out, stderr=out)
    try:
        while not counted(port, "wensheng_collector_rounds_total"):
            time.sleep(0.1)
        for number in range(1, FRESH_POSTS + 1):
            time.sleep(random.uniform(0, INTERVAL))
            appeared, Feed.posts = time.monotonic(), number
            while counted(port, "wensheng_collector_posts_total") < number:
                if time.monotonic() - appeared > PATIENCE:
                    sys.exit("a post that appeared in a feed was not published")
                time.sleep(0.02)
            took.append(time.monotonic() - appeared)
    finally:
        process.terminate()
        process.wait()
        served.shutdown()
    print(f"\n{FRESH_POSTS} posts appeared in a feed that is read every {INTERVAL} s: acknowledged by the brokers after "
          f"{statistics.median(took):.2f} s (median), {max(took):.2f} s at most.", flush=True)


def used_beside(given):
    """CPU seconds of the broker and the page server so far."""
    return Counter({name: cpu_seconds(pid) for name, pid in given.beside.items()})


def compare(given, pages):
    print(f"\n{described(given, pages)}. Scrapy {version('scrapy')}, Python {sys.version.split()[0]}, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start.\n")
    print("| program | wall time, s | CPU time, s | peak memory, MB | pages per s | pages per CPU-s |")
    print("|---|---|---|---|---|---|", flush=True)
    runs = {run_scrapy: [], run_collector: []}
    beside = {run_scrapy: Counter(), run_collector: Counter()}
    for number in range(1, given.runs + 1):
        for program in runs:
            before = used_beside(given)
            run = program(given, pages, number)
            beside[program] += used_beside(given) - before
            runs[program].append(run)
            print(f"| {run.program} | {run.wall:.1f} | {run.cpu:.2f} | {run.peak:.0f} | "
                  f"{run.pages_per_second:.0f} | {run.pages_per_cpu_second:.0f} |", flush=True)

    def ratio(field):
        scrapy, collector = (statistics.median(getattr(run, field) for run in of) for of in runs.values())
        return collector / scrapy

    print(f"\nThe collector against Scrapy{', medians' if given.runs > 1 else ''}: "
          f"{ratio('pages_per_second'):.1f} times the pages per second, "
          f"{ratio('pages_per_cpu_second'):.1f} times the pages per CPU-second, "
          f"{ratio('peak'):.2f} times the memory.")
    print("The collector also publishes every post to Kafka, acknowledged, and remembers it in SQLite; "
          "Scrapy writes a file and uses one core. CPU time of what both lean on is in no row: "
          f"beside Scrapy {listed(beside[run_scrapy])}; beside the collector {listed(beside[run_collector])}.",
          flush=True)
    measure_freshness(given)


def described(given, pages):
    return f"{len(given.ports)} sites of {given.posts} posts: {pages} pages, {given.total} of them posts"


def listed(used):
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in used.items()) or "nothing"


def read_many(given, pages):
    print(f"\nThe collector alone. {described(given, pages)}.\n")
    print("| read | posts | after, s | memory, MB |\n|---|---|---|---|", flush=True)
    waiting = [10, 50, 100]

    def sample(at):
        while waiting and at.posts * 100 >= given.total * waiting[0]:
            print(f"| {waiting.pop(0)} % | {at.posts} | {at.seconds:.0f} | {at.memory:.1f} |", flush=True)

    run = run_collector(given, pages, "long", 2, sample)
    print(f"\nPeak {run.peak:.1f} MB; {run.pages_per_second:.0f} pages per second, "
          f"{run.pages_per_cpu_second:.0f} per CPU-second.")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scrapy", required=True)
    parser.add_argument("--collector", required=True)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder for all that is written")
    parser.add_argument("--ports", type=json.loads, required=True, help="of the sites, as JSON")
    parser.add_argument("--posts", type=int, required=True, help="of each site")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--long", action="store_true", help="the collector alone, its memory sampled")
    parser.add_argument("--pages-pid", type=int)
    parser.add_argument("--broker-pid", type=int)
    given = parser.parse_args()
    beside = {"broker": given.broker_pid, "page server": given.pages_pid}
    given.beside = {name: pid for name, pid in beside.items() if pid}
    given.total = len(given.ports) * given.posts
    return given


def main():
    # Stopped, it stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    given = arguments()
    pages = len(given.ports) * (given.posts + -(-given.posts // POSTS_ON_A_LIST))
    (read_many if given.long else compare)(given, pages)


if __name__ == "__main__":
    main()
