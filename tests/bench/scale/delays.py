"""Posts through the chain of processes, one by one: how long each takes to its assessment, its alert, its case and the archive."""

import itertools
import random
from dataclasses import dataclass, field

import week
from chain import Clock, Loop, Machine, hand, mark, wait, work
from places import owner_of

# As in the code: most messages of a batch, and how long it is waited for. ASSESSED and ARCHIVED are in analyzer/src/app.rs, TAKEN_IN in
# responder/src/app.rs, the collector publishes what a round brought.
COLLECTED, ASSESSED, ARCHIVED, TAKEN_IN = (100, 0.0), (500, 0.05), (20_000, 0.5), (200, 0.02)
ARCHIVED_IN_FLOOD = 5.0


@dataclass
class Machines:
    """Where the work is done. One machine may be all of them."""

    collector: Machine
    analyzers: list
    brokers: Machine
    clickhouse: Machine
    responder: Machine
    postgresql: Machine


@dataclass
class Delays:
    """Seconds from a post's message to each stage, and how long all of it took from the first post to the last one archived."""

    assessed: list = field(default_factory=list)
    alerted: list = field(default_factory=list)
    opened: list = field(default_factory=list)
    archived: list = field(default_factory=list)
    lasted: float = 0.0


def run(inputs, clock, machines, posts, copies, owner, telling=None):
    """Sends posts, given as (second, partition), through the chain. `owner` says which analyzer has a partition; `telling` how many posts there
    are before the same come again, which then raise no alerts."""
    delays, chance = Delays(), random.Random(f"{inputs.seed} chain")
    course, broker, micro = inputs.course, inputs.broker, 1e-6
    per_message = (broker.cpu_us_per_message + (copies - 1) * broker.cpu_us_per_copy) * micro
    sent = [wait(clock, broker.acknowledged_after_ms / 1e3), work(machines.brokers, per_message)]

    told = itertools.count()

    def alerts_of(posts):
        alerted = [post for post in posts if (telling is None or next(told) < telling) and chance.random() < course.alerts_per_post]
        delays.alerted.extend(clock.now - born for born, _ in alerted)
        return alerted

    # An alert opens a case or raises the level of one.
    opens = course.cases_per_post / course.alerts_per_post
    take_in = [
        work(machines.responder, opens * inputs.responder.cpu_us_per_case * micro),
        work(machines.postgresql, opens * inputs.postgresql.cpu_us_per_case * micro),
        mark(clock, delays.opened),
    ]
    responder = Loop(clock, *TAKEN_IN, take_in)
    rows = inputs.clickhouse.cpu_us_per_row + inputs.clickhouse.cpu_us_per_row_indexed
    assessors = []
    for machine in machines.analyzers:
        archive = [
            work(machine, inputs.archiver.cpu_us_per_row * micro),
            work(machines.clickhouse, rows * micro),
            mark(clock, delays.archived),
        ]
        archiver = Loop(clock, *ARCHIVED, archive, ARCHIVED_IN_FLOOD)
        assess = [
            work(machine, inputs.analyzer.cpu_us_per_post * micro),
            *sent,
            hand(lambda _: responder, alerts_of),
            *sent,
            mark(clock, delays.assessed),
            hand(lambda _, archiver=archiver: archiver),
        ]
        assessors.append(Loop(clock, *ASSESSED, assess))
    # A post's time counts from its message: what the collector does is before it.
    collect = [
        work(machines.collector, inputs.collector.cpu_us_per_post * micro),
        *sent,
        hand(lambda post: assessors[owner(post[1])], lambda posts: [(clock.now, partition) for _, partition in posts]),
    ]
    collector = Loop(clock, *COLLECTED, collect)
    for second, partition in posts:
        clock.after(second, lambda post=(second, partition): collector.take([post]))
    clock.run()
    delays.lasted = clock.now - posts[0][0]
    return delays


def of_busiest_minutes(inputs, cell, before=2, after=5):
    """The delays in a cell in the minutes around its busiest, with its own machines, while people work at the console."""
    clock, chance = Clock(), random.Random(f"{inputs.seed} {cell.name}")
    machines = Machines(
        collector=Machine(clock, cell.process("collector").cores),
        analyzers=[Machine(clock, cell.process("analyzer").cores) for _ in cell.by_analyzer],
        brokers=Machine(clock, 2 * cell.process("broker (Kafka)").cores),
        clickhouse=Machine(clock, cell.process("ClickHouse").cores),
        responder=Machine(clock, cell.process("responder").cores),
        postgresql=Machine(clock, cell.process("PostgreSQL").cores),
    )
    top = week.busiest(cell.all_posts)
    first, last = max(0, top - before), min(top + after, week.MINUTES)
    posts = [
        (60 * (minute - first + chance.random()), analyzer)
        for analyzer, by_minute in enumerate(cell.by_analyzer)
        for minute in range(first, last)
        for _ in range(by_minute[minute])
    ]
    office, counties = inputs.office, len(cell.sizes)
    asked = counties * office.officers_per_county * office.busiest / 3600
    search_ms = inputs.clickhouse.cpu_ms_per_search + (counties - 1) * inputs.clickhouse.cpu_ms_per_region_searched
    for machine, an_hour, milliseconds in [
        (machines.clickhouse, office.searches_an_hour, search_ms),
        (machines.clickhouse, office.event_lists_an_hour, inputs.clickhouse.cpu_ms_per_event_list),
        (machines.responder, office.pages_an_hour, inputs.responder.cpu_ms_per_page),
        (machines.postgresql, office.pages_an_hour, inputs.postgresql.cpu_ms_per_page),
    ]:
        second = 0.0
        while (second := second + chance.expovariate(asked * an_hour)) < 60 * (last - first):
            clock.after(second, lambda machine=machine, seconds=milliseconds / 1e3: machine.work(seconds, lambda: None))
    return run(inputs, clock, machines, sorted(posts), 3, lambda analyzer: analyzer)


def of_check(inputs, check):
    """The delays in a setting that was measured: all processes on one machine, posts at a steady rate, one copy of each message."""
    clock = Clock()
    machine = Machine(clock, check["cores"])
    machines = Machines(machine, [machine] * check["analyzers"], machine, machine, machine, machine)
    posts = [(number / check["rate"], number % check["partitions"]) for number in range(check["rate"] * check["seconds"])]
    delays = run(inputs, clock, machines, posts, 1, lambda partition: owner_of(partition, check["analyzers"]), check["telling"])
    return delays, machine.used / delays.lasted
