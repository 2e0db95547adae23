# SPDX-License-Identifier: MIT
"""The package py-chainlink-streams as a peer of the benchmark; ours.lua says what the words mean."""

import asyncio
import math
import os
import re
import sys
import time

from py_chainlink_streams import ChainlinkClient, ChainlinkConfig, ReportResponse

mode, *numbers = sys.argv[1:]
a, b = [int(text) for text in (numbers + ["0", "0"])[:2]]
words = sys.stdin.read().split()


def setting(name):
    return os.environ[f"CHAINLINK_STREAMS_{name}"]


def client():
    host = re.sub(r"^\w+://", "", setting("REST_URL"))
    ws_host = re.sub(r"^\w+://", "", setting("WS_URL"))
    return ChainlinkClient(ChainlinkConfig(setting("API_KEY"), setting("API_SECRET"), host, ws_host,
                                           logger=lambda _: None))


def kib(file, *names):
    with open(f"/proc/self/{file}", encoding="ascii") as opened:
        text = opened.read()
    return sum(int(re.search(rf"{name}:\s+(\d+)", text).group(1)) for name in names)


def price(report):
    return report.get_decoded_prices()["benchmarkPrice"]


async def read(take):
    """Calls take(report) until it answers true."""
    done = asyncio.Event()

    def callback(message):
        if not done.is_set() and take(ReportResponse.from_dict(message)):
            done.set()

    reading = asyncio.create_task(client().stream(words, callback))
    ended = asyncio.create_task(done.wait())
    await asyncio.wait([reading, ended], return_when=asyncio.FIRST_COMPLETED)
    if not done.is_set():
        reading.result()
        sys.exit("the stream ended")
    reading.cancel()


def decode():
    feed_id = "0x" + words[0][2 + 2 * 256:2 + 2 * 288]
    started = time.monotonic_ns()
    for _ in range(a):
        ReportResponse(feed_id, words[0], 0, 0).get_decoded_prices()
    print((time.monotonic_ns() - started) / a)


def stream():
    seen, begun = [0], []

    def take(report):
        price(report)
        seen[0] += 1
        if seen[0] == a:
            begun.extend([time.process_time(), time.monotonic()])
        if seen[0] < a + b:
            return False
        seconds = time.monotonic() - begun[1]
        print((time.process_time() - begun[0]) / b * 1e6, b / seconds, kib("status", "VmHWM"),
              kib("smaps_rollup", "Private_Clean", "Private_Dirty"))
        return True

    asyncio.run(read(take))


def latency():
    late, seen = [], [0]

    def take(report):
        stamp = price(report) * 1e15
        seen[0] += 1
        if seen[0] > a:
            late.append(time.monotonic_ns() / 1e3 - stamp)
        return len(late) == b

    asyncio.run(read(take))
    late.sort()
    print(*[late[math.ceil(b * part) - 1] for part in (0.5, 0.99, 0.999)])


def history():
    rest, start, count = client(), int(time.time()) - 86400 * 30, 0
    before = time.process_time()
    for _ in range(a):  # the package knows no limit: the service's own
        page = rest.get_report_page(words[0], start)
        for report in page.reports:
            price(report)
            count += 1
        start = page.reports[-1].observations_timestamp + 1
    print((time.process_time() - before) / count * 1e6)


def first():
    def take(report):
        print(price(report), flush=True)
        return True

    asyncio.run(read(take))


{"decode": decode, "stream": stream, "latency": latency, "history": history, "first": first}[mode]()
