"""The same work as the collector's, in Scrapy: lists followed, posts taken apart, numbers masked, authors hashed.

    scrapy runspider spider.py -a ports=8001,8002 -O posts.jsonl
"""

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone

import scrapy

SHANGHAI = timezone(timedelta(hours=8))
AUTHOR_KEY = b"the benchmark's own key"
MOBILE = re.compile(r"(?<![0-9])(1[3-9][0-9])[0-9]{6}([0-9]{2})(?![0-9])")


def mask(text):
    return MOBILE.sub(r"\1******\2", text)


class Boards(scrapy.Spider):
    name = "boards"
    custom_settings = {
        "ROBOTSTXT_OBEY": True,
        "CONCURRENT_REQUESTS": 64,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
        "DOWNLOAD_DELAY": 0,
        "AUTOTHROTTLE_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        # Neither has the collector.
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "FEED_EXPORT_ENCODING": "utf-8",
        "LOG_LEVEL": "ERROR",
    }

    def __init__(self, ports, **rest):
        super().__init__(**rest)
        self.ports = ports.split(",")

    async def start(self):
        for port in self.ports:
            # Scrapy takes all ports of an address for one site; a slot for each makes them the sites they are.
            yield scrapy.Request(
                f"http://127.0.0.1:{port}/list",
                meta={"download_slot": port, "source": f"bench-{port}"},
            )

    def parse(self, response):
        meta = {key: response.meta[key] for key in ("download_slot", "source")}
        yield from response.follow_all(css="ul.posts a", callback=self.parse_post, meta=meta)
        yield from response.follow_all(css="a.next", callback=self.parse, meta=meta)

    def parse_post(self, response):
        source = response.meta["source"]
        paragraphs = response.css("div.text p").xpath("string()").getall()
        text = "\n".join(filter(None, (" ".join(one.split()) for one in paragraphs)))
        title = " ".join(response.css("h1").xpath("string()").get("").split())
        time = response.css("span.time").xpath("string()").get("").strip()
        author = response.css("span.author").xpath("string()").get("").strip()
        name = f"{source}\0{author}".encode()
        yield {
            "id": hashlib.sha256(f"{source}\0{response.url}".encode()).hexdigest()[:32],
            "source": source,
            "url": response.url,
            "title": mask(title),
            "text": mask(text),
            "author": hmac.digest(AUTHOR_KEY, name, "sha256").hex()[:32],
            "published_at": int(datetime.fromisoformat(time).replace(tzinfo=SHANGHAI).timestamp()),
        }
