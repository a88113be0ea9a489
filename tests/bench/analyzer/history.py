"""Writes posts as a board's history would have them, one JSON line each, for `analyzer replay` and `tests/bench/load/run`.

  history.py POSTS.jsonl COMPLAINTS.tsv NUMBER DAYS [BEGINS [SEED]] >history.jsonl

Each matter is put together from the sentences of a few real texts, moved to an estate of its own, and told once or several
times with sentences left out; matters are spread evenly over the days from BEGINS, a time with its offset. The same arguments
give the same posts.
"""

import datetime
import json
import random
import re
import sys

FIRST = "滨望春锦湖丽阳金玉兰景东南北西安康和瑞福祥明华新万嘉龙凤云翠碧紫银星月江河山林梅竹松"
SECOND = "河江风苑湖园景泰桂岸城府源泉峰岭洲港湾庭台溪塘坪坡桥畈墩坑埠畔"
KIND = ["花园", "小区", "家园", "公寓", "新村", "广场", "村", "路", "大道", "学校"]
BEGINS = "2026-01-01T00:00:00+08:00"
TOLD = [1] * 60 + [2] * 15 + [3] * 8 + [5] * 6 + [8] * 5 + [13] * 3 + [40] * 2 + [150]


def texts(posts, complaints):
    with open(posts, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]
    with open(complaints, encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            yield line.rstrip("\n").split("\t", 1)[1]


def main():
    posts, complaints, number, days, *rest = sys.argv[1:]
    number, days = int(number), int(days)
    begins = datetime.datetime.fromisoformat(rest[0] if rest else BEGINS)
    draw = random.Random(int(rest[1]) if len(rest) > 1 else 2026)
    known = [sentences(text) for text in texts(posts, complaints) if len(text) > 20]
    estates = [a + b + c + kind for a in FIRST for b in SECOND for c in FIRST[:12] for kind in KIND]
    name, matter, waiting = 0, 0, []
    while len(waiting) < number:
        title = draw.choice(draw.choice(known))[: draw.randint(8, 16)]
        body = [draw.choice(draw.choice(known)) for _ in range(draw.randint(3, 12))]
        estate = draw.choice(estates)
        at = draw.uniform(0, days * 86400)
        for _ in range(draw.choice(TOLD)):
            waiting.append((at, name, title, body, estate, matter))
            at += draw.expovariate(1 / 7200)
            name += 1
        matter += 1
    waiting.sort(key=lambda post: post[:2])
    place = re.compile(r"[A-Z]\d*[市区县州]|西地省")
    for at, name, title, body, estate, matter in waiting[:number]:
        own = random.Random(name)
        text = "".join(part for part in body if own.random() > 0.2) or body[0]
        post = {
            "id": str(name),
            "title": estate + place.sub("", title),
            "time": (begins + datetime.timedelta(seconds=at)).isoformat(timespec="seconds"),
            "text": estate + place.sub(estate, text),
            "user": f"u{own.randrange(200_000)}",
            "matter": matter,
        }
        print(json.dumps(post, ensure_ascii=False))


def sentences(text):
    return [part for part in re.split(r"(?<=[。！？；])", text) if part.strip()] or [text]


main()
