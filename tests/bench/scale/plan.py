"""What a cell takes: its processes with their cores, memory and disks, by what the busiest minute of its week asks of them."""

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import week
from places import owner_of, partition_of, posts_a_day

DAY, GB = 86_400, 1e9


@dataclass
class Process:
    """A kind of process: how many, what each is given, and the part of its cores that the busiest minute takes."""

    name: str
    instances: int
    cores: float
    memory_gb: float
    disk_gb: float
    used: float


@dataclass
class Cell:
    """Counties that share Kafka, ClickHouse and PostgreSQL, and a week of theirs."""

    name: str
    sizes: dict
    partitions: int
    # Posts of each minute, by analyzer as they share the partitions when one of them is away.
    by_analyzer: list
    processes: list = field(default_factory=list)
    network_mb_a_second: float = 0.0

    @cached_property
    def all_posts(self):
        return [sum(minute) for minute in zip(*self.by_analyzer)]

    @property
    def analyzers(self):
        return len(self.by_analyzer)

    @property
    def posts_a_day(self):
        return sum(self.sizes.values())

    @property
    def busiest_a_second(self):
        return max(self.all_posts) / 60

    def total(self, of):
        return sum(process.instances * getattr(process, of) for process in self.processes)

    def process(self, name):
        return next(process for process in self.processes if process.name == name)

    def money(self, price):
        return self.total("cores") * price.core + self.total("memory_gb") * price.memory_gb + self.total("disk_gb") * price.disk_gb


def sizes_of(inputs, codes, load):
    """Posts a day of each county."""
    return {code: posts_a_day(inputs, code, load) for code in codes}


def window_posts(inputs, sizes, group_of):
    """Posts that the window of each group holds."""
    held = Counter()
    for code, size in sizes.items():
        held[group_of(code)] += size * inputs.room.window_days
    return held


def analyzer_memory_gb(inputs, regions, posts):
    """Every analyzer loads all regions of its cell, for any partition may become its own."""
    analyzer = inputs.analyzer
    return (
        analyzer.memory_mb_base * 1e6 + regions * analyzer.memory_kb_per_region * 1e3 + posts * analyzer.memory_bytes_per_window_post
    ) / GB


def analyzers(inputs, sizes, partitions):
    """The week's posts by minute of the fewest analyzers of which the fullest has room for its window and the busiest is not too busy; nothing where
    as many as there are partitions have not."""
    for number in range(1, partitions + 1):

        def group_of(code, number=number):
            return owner_of(partition_of(code, partitions), number)

        fullest = max(window_posts(inputs, sizes, group_of).values())
        if analyzer_memory_gb(inputs, len(sizes), fullest) <= inputs.room.analyzer_memory_gb:
            posts = week.arrivals(inputs, sizes, group_of, number)
            if assessing(inputs, posts) <= inputs.room.most_used_by_partition:
                return posts
    return None


def assessing(inputs, posts_by_minute):
    """The part of one core that the busiest of some partitions or analyzers takes in its busiest minute."""
    return max(map(max, posts_by_minute)) / 60 * inputs.analyzer.cpu_us_per_post / 1e6


def cell(inputs, name, codes, load, partitions):
    """A cell of its own machines."""
    sizes = sizes_of(inputs, codes, load)
    by_analyzer = analyzers(inputs, sizes, partitions)
    if by_analyzer is None:
        raise SystemExit(f"{name}: {partitions} partitions are too few for the load × {load}")
    made = Cell(name, sizes, partitions, by_analyzer)
    size_processes(inputs, made)
    return made


def demand(inputs, cell, copies, live_readers):
    """Cores that each kind of process needs in the busiest minute, when people work at the console, too."""
    posts, counties = cell.busiest_a_second, len(cell.sizes)
    course, office = inputs.course, inputs.office
    cases, alerts = posts * course.cases_per_post, posts * course.alerts_per_post
    moves = cases * office.moves_per_case
    asked = counties * office.officers_per_county * office.busiest / 3600
    pages, searches, lists = asked * office.pages_an_hour, asked * office.searches_an_hour, asked * office.event_lists_an_hour
    messages = 2 * posts + alerts + moves
    clickhouse, responder, broker = inputs.clickhouse, inputs.responder, inputs.broker
    fetches = counties * office.sources_per_county * office.fetches_an_hour_per_source / 3600
    return {
        "collector": posts * inputs.collector.cpu_us_per_post / 1e6 + fetches * inputs.collector.cpu_ms_per_fetch / 1e3,
        "assessing": posts * inputs.analyzer.cpu_us_per_post / 1e6,
        "archiving": posts * inputs.archiver.cpu_us_per_row / 1e6,
        "ClickHouse": posts * (clickhouse.cpu_us_per_row + clickhouse.cpu_us_per_row_indexed) / 1e6
        + searches * (clickhouse.cpu_ms_per_search + (counties - 1) * clickhouse.cpu_ms_per_region_searched) / 1e3
        + lists * clickhouse.cpu_ms_per_event_list / 1e3,
        "responder": (cases * responder.cpu_us_per_case + cases * office.notices_per_case * responder.cpu_us_per_notice) / 1e6
        + pages * responder.cpu_ms_per_page / 1e3,
        "PostgreSQL": cases * inputs.postgresql.cpu_us_per_case / 1e6 + pages * inputs.postgresql.cpu_ms_per_page / 1e3,
        "broker": (messages * (broker.cpu_us_per_message + (copies - 1) * broker.cpu_us_per_copy) + live_readers * posts * broker.cpu_us_per_copy)
        / 1e6,
        # Of each responder, however many there are.
        "live posts": posts * responder.cpu_us_per_live_post / 1e6,
    }


def disk(inputs, cell):
    """Bytes that the archive, the case store and the topics (one copy) hold once all is as old as it is kept, and the collector and the analyzers."""
    day, course, room, broker = cell.posts_a_day, inputs.course, inputs.room, inputs.broker
    cases = day * course.cases_per_post
    moves = cases * inputs.office.moves_per_case
    reports = len(cell.sizes) * inputs.office.reports_a_year_per_county / 365
    in_other_topics = (
        day * broker.bytes_per_assessment + day * course.alerts_per_post * broker.bytes_per_alert + moves * broker.bytes_per_case_event
    )
    return {
        "archive": (day * inputs.clickhouse.disk_bytes_per_post + moves * inputs.clickhouse.disk_bytes_per_case_event) * room.archive_days,
        "store": (cases * inputs.postgresql.disk_bytes_per_case + reports * inputs.postgresql.disk_kb_per_report * 1e3) * room.store_days,
        "topics": day * broker.bytes_per_post * (room.posts_topic_days + room.segment_days)
        + in_other_topics * (room.other_topics_days + room.segment_days),
        "collector": day * inputs.collector.disk_bytes_per_post * room.store_days,
        "checkpoints": day * room.window_days * inputs.analyzer.disk_bytes_per_window_post,
    }


def halves(cores):
    """Cores are given in halves, one at least."""
    return max(1.0, math.ceil(cores * 2) / 2)


def gb(mb):
    """Memory is given in halves of a GB."""
    return max(0.5, math.ceil(mb / 500) / 2)


def network(inputs, cell, copies, responders):
    """MB a second to and from the brokers in the busiest minute: in, to the copies, and out to each who reads."""
    posts, course, broker = cell.busiest_a_second, inputs.course, inputs.broker
    alerts = posts * course.alerts_per_post * broker.bytes_per_alert
    moves = posts * course.cases_per_post * inputs.office.moves_per_case * broker.bytes_per_case_event
    once = posts * broker.bytes_per_post + posts * broker.bytes_per_assessment + alerts + moves
    # Posts, assessments and moves are read once; alerts by responder and archive; assessments by each responder besides.
    read = once + alerts + responders * posts * broker.bytes_per_assessment
    return (once * copies + read) / 1e6


def size_processes(inputs, cell):
    """Gives a cell its processes, of each kind one that may be away, but for ClickHouse, which the topics wait for."""
    room, regions, copies, responders = inputs.room, len(cell.sizes), 3, 2
    needs, holds = demand(inputs, cell, copies, responders), disk(inputs, cell)
    cell.network_mb_a_second = network(inputs, cell, copies, responders)

    def add(name, needed, spare, asked, memory_mb, holds=0):
        """`asked` is the cores that the busiest of those needed must do with, `holds` the bytes that each has on its disk."""
        cores = halves(asked / room.most_used)
        disk_gb = math.ceil(holds / GB / room.disk_most_full)
        cell.processes.append(Process(name, needed + spare, cores, gb(memory_mb), disk_gb, asked / cores))

    def memory_mb(process):
        return process.memory_mb_base + regions * process.memory_kb_per_region / 1e3

    add("collector", 1, 1, needs["collector"], memory_mb(inputs.collector), holds["collector"])
    # The fullest and the busiest analyzer decide, with one away.
    busiest = max(map(max, cell.by_analyzer)) / 60 * (inputs.analyzer.cpu_us_per_post + inputs.archiver.cpu_us_per_row) / 1e6
    fullest = max(window_posts(inputs, cell.sizes, lambda code: owner_of(partition_of(code, cell.partitions), cell.analyzers)).values())
    add("analyzer", cell.analyzers, 1, busiest, analyzer_memory_gb(inputs, regions, fullest) * 1e3, holds["checkpoints"])
    add("responder", responders - 1, 1, needs["responder"] + needs["live posts"], memory_mb(inputs.responder))
    add("broker (Kafka)", 2, 1, needs["broker"] / 2, inputs.broker.memory_mb_base, holds["topics"])
    clickhouse = inputs.clickhouse.memory_mb_base + halves(needs["ClickHouse"] / room.most_used) * inputs.clickhouse.memory_mb_per_core
    add("ClickHouse", 1, 0, needs["ClickHouse"], clickhouse, holds["archive"])
    add("PostgreSQL", 1, 1, needs["PostgreSQL"], inputs.postgresql.memory_mb_base, holds["store"])
    add("Prometheus, Grafana", 1, 0, 0, 1500, 50 * GB)
    cell.processes.append(Process("backups", 1, 0, 0, backups(inputs, holds), 0))


def backups(inputs, holds):
    """GB of disk elsewhere for the last backup of archive and store, and the one being made."""
    return math.ceil(2 * (holds["archive"] + holds["store"]) / GB)


def one_machine(inputs, code, size):
    """A county that has everything on one machine (`deploy/up`): one copy of each message, one of each process."""
    sizes = {code: size}
    made = Cell(code, sizes, 6, week.arrivals(inputs, sizes, lambda _: 0, 1))
    needs, holds = demand(inputs, made, 1, 1), disk(inputs, made)
    made.network_mb_a_second = network(inputs, made, 1, 1)
    asked = sum(needs.values())
    cores = max(2, math.ceil(asked / inputs.room.most_used))
    others = (inputs.collector, inputs.responder, inputs.clickhouse, inputs.broker)
    window = size * inputs.room.window_days
    memory_gb = sum(process.memory_mb_base for process in others) / 1e3 + analyzer_memory_gb(inputs, 1, window)
    disk_gb = math.ceil(sum(holds.values()) / GB / inputs.room.disk_most_full)
    made.processes = [Process("all in one", 1, cores, math.ceil(memory_gb), disk_gb, asked / cores)]
    made.processes.append(Process("backups", 1, 0, 0, backups(inputs, holds), 0))
    return made
