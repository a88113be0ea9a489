"""A week, minute by minute: the posts that come, and those that wait where they come faster than they are handled."""

import math
import random

from places import NORMAL

MINUTES = 7 * 24 * 60


def arrivals(inputs, sizes, group_of, groups):
    """Posts of each minute of the week, for each group of counties: of the hour, of incidents, and of chance. `sizes` has the posts a day
    of each county; `group_of` says in which group (a partition, an analyzer) a county is."""
    chance = random.Random(f"{inputs.seed} {sorted(sizes)} {groups}")
    usual = [0.0] * groups
    for code, size in sizes.items():
        usual[group_of(code)] += size * 7
    extra = [[0.0] * MINUTES for _ in range(groups)]
    for code, begins, rate in incidents(inputs, sizes, chance):
        add_incident(extra[group_of(code)], begins, rate, inputs.incidents.half_life_minutes)
    begins = inputs.shape.index(max(inputs.shape)) * 60
    for group, weekly in enumerate(usual):
        rate = weekly / MINUTES * inputs.incidents.times_in_common
        add_incident(extra[group], begins, rate, inputs.incidents.half_life_minutes)
    by_minute = [share / 60 for share in inputs.shape for _ in range(60)]
    return [
        [poisson(usual[group] * share + more, chance.random()) for share, more in zip(by_minute, extra[group])]
        for group in range(groups)
    ]


def incidents(inputs, sizes, chance):
    """Incidents of the week in single counties: the county, the minute each begins, and the posts a minute it brings at first."""
    assumed = inputs.incidents
    for code in sorted(sizes):
        if chance.random() < assumed.a_week_per_county:
            begins = int(chance.random() * MINUTES)
            times = assumed.times_least * (1 - chance.random()) ** (-1 / assumed.times_power)
            yield code, begins, sizes[code] / (24 * 60) * min(times, assumed.times_most)


def add_incident(rates, begins, rate, half_life):
    """Adds an incident to the rates of a week, until a hundredth of it is left."""
    lasts = math.ceil(half_life * math.log2(100))
    for minute in range(begins, min(begins + lasts, MINUTES)):
        rates[minute] += rate * 0.5 ** ((minute - begins) / half_life)


def poisson(mean, chance):
    """So many posts where `mean` are expected, by a number between 0 and 1."""
    if mean > 30:
        return max(0, round(mean + math.sqrt(mean) * NORMAL.inv_cdf(chance or 0.5)))
    count, part = 0, math.exp(-mean)
    while chance > part and count < 200:
        chance -= part
        count += 1
        part *= mean / count
    return count


def waiting(posts, a_minute, away_from=0, away_until=0):
    """Posts that wait at the end of each minute where `a_minute` are handled, and none while their process is away."""
    behind, all_minutes = 0.0, []
    for minute, count in enumerate(posts):
        handled = 0.0 if away_from <= minute < away_until else a_minute
        behind = max(0.0, behind + count - handled)
        all_minutes.append(behind)
    return all_minutes


def last_behind(behind, since):
    """The first minute from `since` on at whose end nothing waits."""
    return next((minute for minute in range(since, len(behind)) if behind[minute] == 0), len(behind))


def busiest(posts):
    """The minute with most posts."""
    return max(range(len(posts)), key=posts.__getitem__)
