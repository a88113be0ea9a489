"""The embedded ClickHouse, as the Python client clickhouse-connect and curl use it, with their defaults."""

import datetime
import json
import subprocess
import sys
import tempfile
import traceback
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.exceptions import DatabaseError

PROGRAM = sys.argv[1]


class Server:
    def __init__(self, folder):
        self.process = subprocess.Popen(
            [PROGRAM, "--data", folder, "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        self.url = next(line for line in self.process.stdout if line.startswith("ready ")).split()[1]

    def client(self):
        address = urlsplit(self.url)
        return clickhouse_connect.get_client(host=address.hostname, port=address.port)

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)

    def kill(self):
        self.process.kill()
        self.process.wait(30)


ROWS = [
    (1, "冯川镇", datetime.datetime(2026, 11, 23, 8, 30), ["水", "电"], None, 0.5, True),
    (2, "", datetime.datetime(1999, 1, 1), [], 7, -1.0, False),
    (3, "it's \"quoted\"\t\n", datetime.datetime(2026, 1, 1), ["x"], 0, 0.0, True),
]
COLUMNS = ["id", "name", "at", "words", "maybe", "score", "good"]


def a_table_is_made_and_filled(server):
    client = server.client()
    client.command("CREATE DATABASE story")
    client.command(
        "CREATE TABLE story.t (id UInt32, name String, at DateTime, words Array(String),"
        " maybe Nullable(Int32), score Float64, good Bool) ENGINE = MergeTree ORDER BY id"
    )
    client.insert("story.t", ROWS, column_names=COLUMNS)
    assert client.query("SELECT * FROM story.t ORDER BY id").result_rows == ROWS


def a_query_takes_parameters(server):
    answer = server.client().query(
        "SELECT id FROM story.t WHERE name = {name:String}", parameters={"name": "it's \"quoted\"\t\n"}
    )
    assert answer.result_rows == [(3,)], answer.result_rows


def a_large_result_comes_as_a_stream(server):
    total = 0
    with server.client().query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks:
        for block in blocks:
            total += len(block)
    assert total == 1_000_000, total


def a_result_of_two_parts_has_one_heading(server):
    client = server.client()
    client.command("CREATE TABLE story.parts (n UInt32) ENGINE = ReplacingMergeTree ORDER BY n")
    client.insert("story.parts", [(1,)], column_names=["n"])
    client.insert("story.parts", [(2,)], column_names=["n"])
    sql = "SELECT n FROM story.parts FINAL"
    for form, lines in [("CSVWithNames", ['"n"', "1", "2"]), ("TSVWithNames", ["n", "1", "2"])]:
        answer = curl(server.url, "--data", f"{sql} FORMAT {form}").splitlines()
        assert answer[0] == lines[0] and sorted(answer[1:]) == lines[1:], answer
    answer = json.loads(curl(server.url, "--data", f"{sql} FORMAT JSON"))
    assert sorted(row["n"] for row in answer["data"]) == [1, 2], answer
    binary = client.raw_query(sql, fmt="RowBinaryWithNamesAndTypes")
    assert binary.count(b"UInt32") == 1 and len(binary) == len(b"\x01\x01n\x06UInt32") + 8, binary


def an_error_has_clickhouses_own_code(server):
    for query, code in [("SELECT * FROM story.missing", "60"), ("SELEKT 1", "62")]:
        try:
            server.client().query(query)
        except DatabaseError as error:
            assert f"code {code}" in str(error) or f"Code: {code}" in str(error), error
        else:
            raise AssertionError(f"{query} was taken")


def curl(*arguments):
    command = ["curl", "--silent", "--max-time", "20", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def curl_is_served_too(server):
    assert curl(f"{server.url}/ping") == "Ok.\n"
    assert curl(f"{server.url}/?query=SELECT%201") == "1\n"
    assert curl(server.url, "--data", "SELECT name FROM story.t WHERE id = 1") == "冯川镇\n"
    answer = curl("--include", server.url, "--data", "SELECT * FROM story.missing")
    assert "x-clickhouse-exception-code: 60" in answer.lower(), answer
    assert answer.startswith("HTTP/1.1 404"), answer


def what_is_not_loopback_is_refused(server):
    answer = curl("--output", "/dev/null", "--write-out", "%{http_code}", "--header", "Host: example.org", f"{server.url}/?query=SELECT%201")
    assert answer == "403", answer
    ended = subprocess.run([PROGRAM, "--data", "/tmp/never", "--host", "0.0.0.0"], capture_output=True, text=True)
    assert ended.returncode != 0 and "loopback" in ended.stderr, ended.stderr


def main():
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        stories = [
            a_table_is_made_and_filled,
            a_query_takes_parameters,
            a_large_result_comes_as_a_stream,
            a_result_of_two_parts_has_one_heading,
            an_error_has_clickhouses_own_code,
            curl_is_served_too,
            what_is_not_loopback_is_refused,
        ]

        def started_again_it_has_what_it_had(_):
            nonlocal server
            assert server.stop() == 0
            server = Server(folder)
            assert server.client().query("SELECT count() FROM story.t").result_rows == [(3,)]
            server.client().insert("story.t", [(4, *ROWS[0][1:])], column_names=COLUMNS)
            server.kill()
            server = Server(folder)
            assert server.client().query("SELECT count() FROM story.t").result_rows == [(4,)]

        for story in [*stories, started_again_it_has_what_it_had]:
            try:
                story(server)
                passed += 1
            except Exception:
                failed += 1
                print(f"{story.__name__} failed", file=sys.stderr)
                traceback.print_exc()
        server.kill()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
