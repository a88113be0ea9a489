"""Counties: how many posts each has, and in which partition they are."""

import hashlib
import math
import zlib
from statistics import NormalDist

NORMAL = NormalDist()


def partition_of(key, partitions):
    """The partition that librdkafka's default partitioner (`consistent_random`) gives a key: its CRC-32, modulo their number."""
    return zlib.crc32(key.encode()) % partitions


def posts_a_day(inputs, code, load):
    """Posts of a county on a mean day: log-normal, and the same for a code wherever it is asked for."""
    digest = hashlib.sha256(f"{inputs.seed} {code}".encode()).digest()
    chance = (int.from_bytes(digest[:6], "big") + 0.5) / 2**48
    spread = inputs.posts.spread
    times = math.exp(spread * NORMAL.inv_cdf(chance) - spread**2 / 2)
    return inputs.posts.a_day_per_county * load * times


def owner_of(partition, analyzers):
    """Which analyzer has a partition: a balanced assignment, that counts partitions and not what is in them."""
    return partition % analyzers
