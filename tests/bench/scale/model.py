"""The scale plan's figures, from the committed inputs: prints all tables, or holds docs/scale.md against them.

usage: tests/bench/scale/run [--check | --write]
"""

import re
import sys
from collections import Counter

import delays
import inputs as given
import plan
import week
from chain import quantile
from places import partition_of

PLAN = given.HERE / "../../../docs/scale.md"
# A county alone, a province of a hundred, and the province with the most.
COUNTY, PROVINCE = "360921", "36"
# Loads far beyond those planned for.
BEYOND = (10, 100, 1_000, 3_000, 10_000)
MARKS = re.compile(r"(<!-- model: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(heads, rows, numbers=True):
    """A table in Markdown: the first column to the left, the others to the right where they are numbers."""
    lines = [heads, ["---"] + ["---:" if numbers else "---"] * (len(heads) - 1), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def number(value):
    """A number with as many digits as it is worth."""
    if value is None:
        return "—"
    if isinstance(value, str):
        return value
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def percent(part):
    if part == 0:
        return "—"
    return f"{100 * part:,.0f} %" if part >= 0.01 else f"{100 * part:.2f} %"


def seconds(values, part):
    return f"{quantile(values, part):.2f}" if values else "—"


class Model:
    """All that is worked out: the cells at each load, with the number of partitions chosen for the greatest."""

    def __init__(self, inputs):
        self.inputs = inputs
        self.loads = inputs.posts.loads
        self.largest = max(inputs.provinces, key=lambda province: len(inputs.provinces[province]))
        self.partitions = self.choose_partitions()
        self.county = {load: plan.one_machine(inputs, COUNTY, inputs.posts.a_day_per_county * load) for load in self.loads}
        sizes = {load: plan.sizes_of(inputs, inputs.provinces[PROVINCE], load) for load in self.loads}
        self.alone = {load: [plan.one_machine(inputs, *size) for size in sizes[load].items()] for load in self.loads}
        self.cells = {
            load: {
                province: plan.cell(inputs, province, codes, load, self.partitions) for province, codes in inputs.provinces.items()
            }
            for load in self.loads
        }

    def choose_partitions(self):
        """The fewest of those tried with which the largest province is served at the greatest load, with room to double its analyzers."""
        room, codes, load = self.inputs.room, self.inputs.provinces[self.largest], max(self.loads)
        for partitions in room.partitions_tried:
            posts = plan.analyzers(self.inputs, plan.sizes_of(self.inputs, codes, load), partitions)
            if (
                posts is not None
                and len(posts) * room.partitions_per_analyzer <= partitions
                and self.busiest_partition(codes, load, partitions) <= room.most_used_by_partition
            ):
                return partitions
        raise SystemExit("no number of partitions that is tried serves the largest province: try more (room.partitions_tried)")

    def by_partition(self, codes, load, partitions):
        """The week's posts by minute of each partition."""
        sizes = plan.sizes_of(self.inputs, codes, load)
        return week.arrivals(self.inputs, sizes, lambda code: partition_of(code, partitions), partitions)

    def busiest_partition(self, codes, load, partitions):
        return plan.assessing(self.inputs, self.by_partition(codes, load, partitions))

    def tables(self):
        """The tables by name."""
        return {
            "assumed": self.assumed(),
            "measured": self.measured(),
            "measurements": self.measurements(),
            "partitions": self.table_of_partitions(),
            "limits": self.limits(),
            **{f"takes-{load}": self.takes(load) for load in self.loads},
            "processes": self.processes(),
            "delays": self.delays(),
            "outages": self.outages(),
            "cells": self.table_of_cells(),
            "check": self.check(),
        }

    def assumed(self):
        rows = [[f"`{section}.{name}`", told(value), because] for section, name, value, because in self.inputs.assumed]
        return table(["assumed", "value", "because"], rows, numbers=False)

    def measured(self):
        rows = []
        for section, name, value, by in self.inputs.measured:
            rows.append([f"`{section}.{name}`", told(value), "**provisional**" if by == given.GUESS else by])
        return table(["figure", "value", "by"], rows, numbers=False)

    def measurements(self):
        rows = [[name, by["command"], by["date"], by["machine"]] for name, by in self.inputs.by.items()]
        return table(["by", "command", "date", "machine"], rows, numbers=False)

    def table_of_partitions(self):
        rows, load = [], max(self.loads)
        for partitions in self.inputs.room.partitions_tried:
            row = [f"**{partitions}**" if partitions == self.partitions else partitions]
            for codes in (self.inputs.provinces[PROVINCE], self.inputs.provinces[self.largest]):
                sizes = plan.sizes_of(self.inputs, codes, load)
                held = plan.window_posts(self.inputs, sizes, lambda code: partition_of(code, partitions))
                events = max(held.values()) * self.inputs.course.events_per_post
                row += [
                    max(Counter(partition_of(code, partitions) for code in codes).values()),
                    f"{max(held.values()) / sum(held.values()) * partitions:.1f}",
                    percent(self.busiest_partition(codes, load, partitions)),
                    number(len(plan.analyzers(self.inputs, sizes, partitions) or []) or None),
                    f"{events / 1e6:.1f}" + (" (too many)" if events > self.inputs.room.most_events else ""),
                ]
            rows.append(row)
        heads = ["counties in the fullest", "times its share", "of a core", "analyzers", "million events"]
        heads = [f"{len(self.inputs.provinces[province])}: {head}" for province in (PROVINCE, self.largest) for head in heads]
        return table(["partitions", *heads], rows)

    def limits(self):
        """How far the partitions carry, and what happens beyond."""
        rows, codes = [], self.inputs.provinces[PROVINCE]
        for load in BEYOND:
            posts = self.by_partition(codes, load, self.partitions)
            behind = [week.waiting(minutes, self.handled_a_minute()) for minutes in posts]
            sizes = plan.sizes_of(self.inputs, codes, load)
            window = sum(sizes.values()) * self.inputs.room.window_days * self.inputs.analyzer.memory_bytes_per_window_post
            row = [f"× {load:,}", number(sum(sizes.values())), percent(plan.assessing(self.inputs, posts))]
            row += [number(max(map(max, behind))), max(sum(1 for waits in minutes if waits) for minutes in behind), number(window / 1e9)]
            rows.append(row)
        heads = ["posts a day", "busiest partition, of a core", "posts that wait in it at most", "minutes in which some wait", "GB of windows in all"]
        return table([f"{len(codes)} counties, {self.partitions} partitions", *heads], rows)

    def handled_a_minute(self):
        """Posts that one analyzer gets through where batches are full: each takes its work, and waits for the brokers twice."""
        batch, waits = delays.ASSESSED[0], 2 * self.inputs.broker.acknowledged_after_ms / 1e3
        return 60 * batch / (batch * self.inputs.analyzer.cpu_us_per_post / 1e6 + waits)

    def takes(self, load):
        """What each form takes: a county alone, a province as one cell and as a machine for each county, the country as provinces' cells."""
        cells = self.cells[load]
        columns = [[self.county[load]], self.alone[load], [cells[PROVINCE]], list(cells.values())]
        heads = ["a county on a machine", "a province, a machine for each county", "a province, one cell", "the country, a cell for each province"]

        def row(head, of):
            return [head, *(number(of(column)) for column in columns)]

        def of_all(of):
            return lambda column: sum(of(cell) for cell in column) or None

        def of_process(name, of=lambda process: 1):
            return of_all(lambda cell: sum(process.instances * of(process) for process in cell.processes if process.name == name))

        def disk_of(name):
            return of_process(name, lambda process: process.disk_gb)

        rows = [
            row("counties", of_all(lambda cell: len(cell.sizes))),
            row("cells", len),
            row("posts a day", of_all(lambda cell: cell.posts_a_day)),
            row("posts a second, in the busiest minute", of_all(lambda cell: cell.busiest_a_second)),
            row("partitions of each topic, of a cell", lambda column: column[0].partitions),
            row("analyzers, one of a cell to spare", of_process("analyzer")),
            row("cores", of_all(lambda cell: cell.total("cores"))),
            row("memory, GB", of_all(lambda cell: cell.total("memory_gb"))),
            row("disk, GB", of_all(lambda cell: cell.total("disk_gb"))),
            row("… of ClickHouse", disk_of("ClickHouse")),
            row("… of PostgreSQL, two", disk_of("PostgreSQL")),
            row("… of the brokers, three", disk_of("broker (Kafka)")),
            row("… backups", disk_of("backups")),
            row("MB a second at the brokers, busiest minute", of_all(lambda cell: cell.network_mb_a_second)),
            row("yuan a month (example prices)", of_all(lambda cell: cell.money(self.inputs.price))),
            row(
                "yuan a month and county",
                lambda column: sum(cell.money(self.inputs.price) for cell in column) / sum(len(cell.sizes) for cell in column),
            ),
        ]
        return table([f"× {load}", *heads], rows)

    def processes(self):
        cells = [self.cells[load][PROVINCE] for load in self.loads]
        rows = []
        for made in zip(*(cell.processes for cell in cells)):
            row = [made[0].name]
            for process in made:
                row += [process.instances, number(process.cores), number(process.memory_gb), number(process.disk_gb), percent(process.used)]
            rows.append(row)
        heads = ["how many", "cores", "GB memory", "GB disk", "used"]
        return table(["each has", *(f"× {load}: {head}" for load in self.loads for head in heads)], rows)

    def delays(self):
        rows = []
        for load, province in [*((load, PROVINCE) for load in self.loads), (max(self.loads), self.largest)]:
            cell = self.cells[load][province]
            found = delays.of_busiest_minutes(self.inputs, cell)
            row = [f"{len(cell.sizes)} counties, × {load}"]
            for values in (found.assessed, found.alerted, found.opened, found.archived):
                row.append(" / ".join(seconds(values, part) for part in (0.5, 0.99, 1)))
            rows.append(row)
        return table(["seconds: median / 99 % / longest", "to the assessment", "to the alert", "to the case", "to the archive"], rows)

    def outages(self):
        """The analyzers, then the archive, are away from the busiest minute on."""
        rows = []
        row_us = self.inputs.clickhouse.cpu_us_per_row + self.inputs.clickhouse.cpu_us_per_row_indexed
        for load in self.loads:
            cell = self.cells[load][PROVINCE]
            archived = 60e6 / row_us * cell.process("ClickHouse").cores * self.inputs.room.most_used
            for away, hours, groups, capacity in [
                ("analyzers", 1, cell.by_analyzer, self.handled_a_minute()),
                ("ClickHouse", 24, [cell.all_posts], archived),
            ]:
                begins = week.busiest(cell.all_posts)
                most, caught_up = 0.0, 0
                for posts in groups:
                    behind = week.waiting(posts, capacity, begins, begins + 60 * hours)
                    most += max(behind)
                    caught_up = max(caught_up, week.last_behind(behind, begins + 60 * hours) - (begins + 60 * hours))
                rows.append([f"{away}, × {load}", hours, number(round(most)), caught_up + 1])
        return table([f"away, with {len(self.inputs.provinces[PROVINCE])} counties", "hours", "posts that wait at most", "caught up within minutes"], rows)

    def table_of_cells(self):
        by_size = sorted(self.inputs.provinces, key=lambda province: len(self.inputs.provinces[province]))
        rows = []
        for head, province in [("the smallest", by_size[0]), ("the middle", by_size[len(by_size) // 2]), ("the largest", by_size[-1])]:
            row = [f"{head} (code {province})", len(self.inputs.provinces[province])]
            for load in self.loads:
                cell = self.cells[load][province]
                row += [cell.analyzers + 1, number(cell.total("cores")), number(cell.total("memory_gb")), number(cell.total("disk_gb"))]
            rows.append(row)
        heads = ["analyzers", "cores", "GB memory", "GB disk"]
        return table(["cell", "counties", *(f"× {load}: {head}" for load in self.loads for head in heads)], rows)

    def check(self):
        rows = []
        for check in self.inputs.checks:
            found, cores = delays.of_check(self.inputs, check)
            measured = check["measured"]
            row = [f"{check['name']} ({self.inputs.by[check['by']]['command'] if measured else 'not measured yet'})"]
            for field, value in [
                ("posts_per_second", len(found.archived) / found.lasted),
                ("alert_p50_s", quantile(found.alerted, 0.5)),
                ("alert_p99_s", quantile(found.alerted, 0.99)),
                ("case_p50_s", quantile(found.opened, 0.5)),
                ("case_p99_s", quantile(found.opened, 0.99)),
                ("cores_used", cores),
            ]:
                row.append(f"{number(measured[field]) if field in measured else '—'} / {number(value)}")
            rows.append(row)
        heads = ["posts a second", "alert, median s", "alert, 99 % s", "case, median s", "case, 99 % s", "cores used"]
        return table(["measured / simulated", *heads], rows)


def told(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}"


def written(text, tables):
    """The plan's text with the tables between their marks."""
    names = [name for _, name, _ in MARKS.findall(text)]
    if sorted(names) != sorted(tables):
        raise SystemExit(f"docs/scale.md has the marks {sorted(names)}, the model the tables {sorted(tables)}")
    return MARKS.sub(lambda found: found[1] + tables[found[2]] + found[3], text)


def main(arguments):
    if arguments not in ([], ["--check"], ["--write"]):
        raise SystemExit(__doc__.splitlines()[-1])
    tables = Model(given.load()).tables()
    if not arguments:
        for name, content in tables.items():
            print(f"{name}\n\n{content}")
        return
    text = PLAN.read_text()
    renewed = written(text, tables)
    if arguments == ["--write"]:
        PLAN.write_text(renewed)
    elif text != renewed:
        differing = [new for old, new in zip(text.splitlines(), renewed.splitlines()) if old != new]
        raise SystemExit("docs/scale.md is not what its model says; tests/bench/scale/run --write renews it. First: " + differing[0])


if __name__ == "__main__":
    main(sys.argv[1:])
