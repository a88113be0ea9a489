"""The model's pieces, each against what is known of it."""

import random
import unittest

import inputs as given
import plan
import week
from chain import Clock, Loop, Machine, hand, mark, quantile, wait, work
from places import owner_of, partition_of, posts_a_day

INPUTS = given.load()


def through(posts, loops, cores_each=1, seconds_each=0.001):
    """Posts, given by when they come, through loops that share them; the loops and the delays."""
    clock, delays = Clock(), []
    loops = [Loop(clock, 500, 0.05, [work(Machine(clock, cores_each), seconds_each), mark(clock, delays)]) for _ in range(loops)]
    for number, second in enumerate(posts):
        clock.after(second, lambda second=second, number=number: loops[number % len(loops)].take([(second, number)]))
    return clock, loops, delays


class Places(unittest.TestCase):
    def test_keys_go_where_librdkafka_sends_them(self):
        # The hashes that librdkafka's own test of its partitioners (tests/0048-partitioner.c) expects.
        known = {
            "23456": 0xB1B451D7,
            "this is another string with more length to it perhaps": 0xB0150DF7,
            "hejsan": 0xD077037E,
        }
        for key, digest in known.items():
            for partitions in (6, 7, 17):
                self.assertEqual(partition_of(key, partitions), digest % partitions)

    def test_the_country_is_there_once(self):
        codes = [code for province in INPUTS.provinces.values() for code in province]
        self.assertEqual(len(codes), len(set(codes)))
        self.assertEqual(len(codes), 2854)
        self.assertTrue(all(len(code) == 6 and code.isdigit() for code in codes))

    def test_sizes_are_spread_around_the_mean(self):
        sizes = sorted(posts_a_day(INPUTS, code, 1) for codes in INPUTS.provinces.values() for code in codes)
        mean = sum(sizes) / len(sizes)
        self.assertAlmostEqual(mean / INPUTS.posts.a_day_per_county, 1, delta=0.1)
        self.assertLess(sizes[len(sizes) // 2], 0.7 * mean)
        self.assertGreater(sizes[-1], 10 * mean)


class Week(unittest.TestCase):
    def test_chance_has_the_mean_that_is_asked_for(self):
        chance = random.Random(1)
        for mean in (0.0, 0.3, 4.0, 29.0, 31.0, 500.0):
            drawn = [week.poisson(mean, chance.random()) for _ in range(4000)]
            self.assertAlmostEqual(sum(drawn) / 4000, mean, delta=0.1 + 4 * (mean / 4000) ** 0.5)

    def test_what_comes_is_handled_or_waits(self):
        posts = [100] * 30
        behind = week.waiting(posts, 80)
        self.assertEqual(behind[-1], sum(posts) - 30 * 80)
        self.assertEqual(max(week.waiting(posts, 100)), 0)

    def test_an_overloaded_partition_grows_without_end(self):
        behind = week.waiting([101] * 1000, 100)
        self.assertTrue(all(later > earlier for earlier, later in zip(behind, behind[1:])))

    def test_an_outage_is_caught_up_with(self):
        behind = week.waiting([50] * 100, 100, 10, 20)
        self.assertEqual(behind[19], 500)
        self.assertEqual(week.last_behind(behind, 20), 29)

    def test_the_week_is_the_same_again_and_has_the_posts_of_its_days(self):
        sizes = {"360921": 1000.0, "360922": 500.0}
        one, again = (week.arrivals(INPUTS, sizes, lambda code: int(code == "360922"), 2) for _ in range(2))
        self.assertEqual(one, again)
        self.assertGreater(sum(one[0]), 7000 - 4 * 84)


class Chain(unittest.TestCase):
    def test_posts_in_are_posts_out_or_waiting(self):
        clock, loops, delays = through([number / 3000 for number in range(9000)], 1)
        clock.run(2.0)
        at_work = 500
        come = 6001
        self.assertLessEqual(abs(come - len(delays) - len(loops[0].waiting)), at_work)
        clock.run()
        self.assertEqual((len(delays), len(loops[0].waiting)), (9000, 0))

    def test_with_double_the_loops_the_delay_falls(self):
        posts = [number / 1500 for number in range(9000)]
        longest = []
        for loops in (1, 2):
            clock, _, delays = through(posts, loops)
            clock.run()
            longest.append(max(delays))
        self.assertGreater(longest[0], 2.5)
        self.assertLess(longest[1], 1.0)

    def test_an_overloaded_loop_is_later_with_every_second(self):
        clock, _, delays = through([number / 2000 for number in range(20_000)], 1)
        clock.run()
        parts = [quantile(delays[start : start + 5000], 0.5) for start in range(0, 20_000, 5000)]
        self.assertEqual(parts, sorted(parts))
        self.assertGreater(parts[3], 3 * parts[0])

    def test_a_quiet_loop_takes_its_linger_and_its_work(self):
        clock, _, delays = through([0.0, 1.0, 2.0], 1)
        clock.run()
        self.assertTrue(all(abs(delay - 0.051) < 1e-9 for delay in delays))

    def test_a_flood_is_gathered_for_longer(self):
        clock, handled = Clock(), []
        loop = Loop(clock, 500, 0.5, [lambda posts, then: (handled.append((clock.now, len(posts))), then())], 5.0)
        for post in range(40):
            clock.after(post * 0.1, lambda: loop.take([None]))
        clock.after(60.0, lambda: loop.take([None]))
        clock.run()
        self.assertEqual(handled, [(5.0, 40), (60.5, 1)])

    def test_work_shares_the_cores(self):
        clock, ends = Clock(), []
        machine = Machine(clock, 2)
        for _ in range(4):
            machine.work(1.0, lambda: ends.append(clock.now))
        clock.run()
        self.assertTrue(all(abs(end - 2.0) < 1e-9 for end in ends))
        machine.work(1.0, lambda: ends.append(clock.now))
        clock.run()
        self.assertAlmostEqual(ends[-1], 3.0)

    def test_what_is_handed_on_arrives_once(self):
        clock, delays = Clock(), []
        last = [Loop(clock, 500, 0.01, [wait(clock, 0.1), mark(clock, delays)]) for _ in range(2)]
        first = Loop(clock, 500, 0.01, [hand(lambda post: last[post[1] % 2])])
        first.take([(0.0, number) for number in range(10)])
        clock.run()
        self.assertEqual(len(delays), 10)


class Plan(unittest.TestCase):
    def test_partitions_are_shared_evenly_and_none_is_left(self):
        owners = [owner_of(partition, 5) for partition in range(12)]
        counts = [owners.count(analyzer) for analyzer in range(5)]
        self.assertLessEqual(max(counts) - min(counts), 1)

    def test_more_posts_take_no_less_of_anything(self):
        codes = INPUTS.provinces["46"]
        small, large = (plan.cell(INPUTS, "a province", codes, load, 12) for load in (1, 10))
        for of in ("cores", "memory_gb", "disk_gb"):
            self.assertGreaterEqual(large.total(of), small.total(of))
        self.assertGreater(large.total("disk_gb"), 5 * small.total("disk_gb"))
        self.assertGreater(large.money(INPUTS.price), small.money(INPUTS.price))

    def test_no_process_is_used_more_than_it_may_be(self):
        cell = plan.cell(INPUTS, "a province", INPUTS.provinces["36"], 10, 12)
        self.assertTrue(all(process.used <= INPUTS.room.most_used for process in cell.processes))

    def test_a_window_that_no_analyzer_can_hold_has_no_plan(self):
        self.assertIsNone(plan.analyzers(INPUTS, {"360921": 1e6}, 12))


if __name__ == "__main__":
    unittest.main()
