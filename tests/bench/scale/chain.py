"""The chain of processes, post by post: loops that gather a batch, work on it, send it on and wait for the answer, on machines whose cores they share.

A loop is what `backbone::kafka::consume` is: it takes what waits up to the size of a batch, waits for more as long as it lingers, handles the
batch and begins again; what comes meanwhile waits. Nothing here knows a formula of queues: delays are what comes of it.
"""

import heapq
import itertools
from collections import deque


class Clock:
    """What happens when."""

    def __init__(self):
        self.now = 0.0
        self._due = []
        self._order = itertools.count()

    def after(self, seconds, do):
        heapq.heappush(self._due, (self.now + seconds, next(self._order), do))

    def run(self, until=float("inf")):
        while self._due and self._due[0][0] <= until:
            self.now, _, do = heapq.heappop(self._due)
            do()


class Machine:
    """Cores, shared evenly by all work that is on them; one piece of work takes one core at most."""

    def __init__(self, clock, cores):
        self.clock, self.cores = clock, cores
        self.used = 0.0
        self._done, self._since = 0.0, 0.0
        self._at_work = []
        self._order = itertools.count()
        self._plan = 0

    def work(self, seconds, then):
        """Does so many seconds of work, and `then` what follows."""
        self._go_on()
        self.used += seconds
        heapq.heappush(self._at_work, (self._done + seconds, next(self._order), then))
        self._look_ahead()

    def _go_on(self):
        if self._at_work:
            pace = min(1.0, self.cores / len(self._at_work))
            self._done += (self.clock.now - self._since) * pace
        self._since = self.clock.now

    def _look_ahead(self):
        self._plan += 1
        if self._at_work:
            plan, pace = self._plan, min(1.0, self.cores / len(self._at_work))
            left = max(0.0, self._at_work[0][0] - self._done) / pace
            self.clock.after(left, lambda: self._end(plan))

    def _end(self, plan):
        if plan == self._plan:
            self._go_on()
            _, _, then = heapq.heappop(self._at_work)
            self._look_ahead()
            then()


class Loop:
    """A consumer: batches of at most so many posts, gathered for so long, each through the steps one after another. Where a hundredth of a batch
    comes in that time, it is gathered for `in_flood`."""

    def __init__(self, clock, batch, linger, steps, in_flood=0.0):
        self.clock, self.batch, self.linger, self.steps, self.in_flood = clock, batch, linger, steps, in_flood
        self.waiting = deque()
        self._busy, self._gathering, self._number = False, False, 0

    def take(self, posts):
        self.waiting.extend(posts)
        if not self._busy:
            self._gather()

    def _gather(self):
        if len(self.waiting) >= self.batch:
            self._handle()
        elif self.waiting and not self._gathering:
            self._gathering, number = True, self._number
            self.clock.after(self.linger, lambda: self._gathered(number))

    def _gathered(self, number):
        # A batch that was full before its time is on its way already.
        if number != self._number:
            return
        if self.in_flood > self.linger and 100 * len(self.waiting) >= self.batch:
            self.clock.after(self.in_flood - self.linger, lambda: number == self._number and self._handle())
        else:
            self._handle()

    def _handle(self):
        self._busy, self._gathering = True, False
        self._number += 1
        posts = [self.waiting.popleft() for _ in range(min(self.batch, len(self.waiting)))]
        self._step(posts, 0)

    def _step(self, posts, number):
        if number < len(self.steps):
            self.steps[number](posts, lambda: self._step(posts, number + 1))
        else:
            self._busy = False
            self._gather()


def work(machine, each):
    """A step: so many seconds on a machine for each post."""
    return lambda posts, then: machine.work(each * len(posts), then)


def wait(clock, seconds):
    """A step: time passes."""
    return lambda posts, then: clock.after(seconds, then)


def hand(loop_of, become=lambda posts: posts):
    """A step: what the posts become goes to the loops that `loop_of` names."""

    def step(posts, then):
        parts = {}
        for post in become(posts):
            parts.setdefault(loop_of(post), []).append(post)
        for loop, part in parts.items():
            loop.take(part)
        then()

    return step


def mark(clock, delays):
    """A step: notes how long ago each post came."""

    def step(posts, then):
        delays.extend(clock.now - born for born, _ in posts)
        then()

    return step


def quantile(values, part):
    """The value below which a part of all is; nothing where there is none."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))] if values else None
