"""Measures SnowNLP's sentiment on some of the texts and prints it beside what the chain's program measured."""

import json
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path

from snownlp import SnowNLP

# Of the texts, SnowNLP gets every so many.
EVERY = 40


def main():
    texts = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    runs = [json.loads(line) for line in Path(sys.argv[2]).read_text().splitlines()]
    some = [text for text in texts[::EVERY] if text.strip()]
    SnowNLP("热身").sentiments
    begun = time.process_time()
    for text in some:
        SnowNLP(text).sentiments
    snow = (time.process_time() - begun) / sum(len(text.encode()) for text in some)

    def median(of):
        return statistics.median(of(run) for run in runs)

    count, size = runs[0]["texts"], runs[0]["bytes"]
    chain = median(lambda run: run["chain_seconds"])
    bare = median(lambda run: run["jieba_seconds"])
    ratio = median(lambda run: run["jieba_seconds"] / run["chain_seconds"])
    print(f"{count} texts, {size / 1e6:.1f} MB, one core, medians of {len(runs)} runs")
    print(f"bare jieba-rs cut, HMM on   {count / bare:9.0f} texts/s  {size / bare / 1e6:7.1f} MB/s")
    print(f"the whole chain             {count / chain:9.0f} texts/s  {size / chain / 1e6:7.1f} MB/s")
    whole = median(lambda run: run["with_events_seconds"])
    print(f"… with events and alerts    {count / whole:9.0f} texts/s  {size / whole / 1e6:7.1f} MB/s")
    print(f"SnowNLP {version('snownlp')} sentiment     {count / (snow * size):9.1f} texts/s  {1 / snow / 1e6:7.3f} MB/s")
    print(f"the chain: {ratio:.2f} of bare segmentation, {snow * size / chain:.0f} times SnowNLP")
    print(
        f"start {median(lambda run: run['start_seconds']):.2f} s, "
        f"memory once started {median(lambda run: run['memory_megabytes']):.0f} MB"
    )


if __name__ == "__main__":
    main()
