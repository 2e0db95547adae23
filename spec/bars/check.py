#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bars, averages and guards against a computation by Python's integers and decimal module, which shares nothing with
the library: random reports of feeds in seconds and milliseconds, late, repeated, of equal times, with holes and
overlaps, of prices up to 192 bits.   check.py LUA REPORTS SEED"""

import bisect
import decimal
import heapq
import random
import subprocess
import sys
import tempfile

decimal.getcontext().prec = 120

SEEDS = ["0003", "1003", "0003", "1003"]  # the first digits of the feeds' ids: the unit of their times
# As spec/bars/run.lua has them: interval in seconds, repair in seconds, bars for gaps.
BARS = [(1, 120, False), (60, 900, True), (3600, 900, False), (86400, 7200, True)]
WINDOW_MS = 60000
EVERY = 10  # of the averages, one in so many is told
MAX_AGE_MS, HEARTBEAT_MS = 30000, 45500
DEVIATION = decimal.Decimal("0.25") / 100


def exact(raw):
    value = decimal.Decimal(raw).scaleb(-18)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class Report:
    __slots__ = ("feed", "first", "observed", "last", "raw", "bid", "valid_from", "time")

    def __init__(self, feed, valid_from, time, raw, bid):
        unit = 1000 if SEEDS[feed][0] == "0" else 1
        self.feed, self.valid_from, self.time, self.raw, self.bid = feed, valid_from, time, raw, bid
        self.observed = time * unit
        self.first = min(valid_from * unit, self.observed)
        self.last = self.observed + unit - 1

    def key(self):
        return (self.time, self.valid_from, self.raw, self.bid)

    def line(self, now):
        price = self.raw % (1 << 256)
        return "%d %016x %016x %064x %016x %d\n" % (self.feed, self.valid_from, self.time, price, self.bid, now)


def make(count, seed):
    """The reports in the order in which they are pushed, each with the time of the clock then."""
    rng = random.Random(seed)
    times = [1700000000 * (1 if kind[0] == "0" else 1000) + 12345 * i for i, kind in enumerate(SEEDS)]
    prices = [10 ** 18, 50000 * 10 ** 18, -3 * 10 ** 18, (1 << 191) - 1]
    waiting, pushed = [], 0
    number = 0
    while pushed < count:
        while waiting and waiting[0][0] <= pushed and pushed < count:
            report = heapq.heappop(waiting)[2]
            pushed += 1
            yield report, report.observed + rng.choice((0, 500, 29999, 30000, 30001, 90000))
        feed = rng.randrange(len(SEEDS))
        unit = 1 if SEEDS[feed][0] == "0" else 1000
        before = times[feed]
        kind = rng.random()
        if kind < 0.9:
            step = rng.randint(1, 2) if unit == 1 else rng.randint(50, 900)
        elif kind < 0.99:
            step = rng.randint(1, 100) * unit
        else:
            step = rng.randint(1, 3000) * unit
        times[feed] = before + step
        how = rng.random()
        if how < 0.93:
            valid_from = before + 1
        elif how < 0.97:
            valid_from = max(before + 1, times[feed] - rng.randint(0, 5 * unit))  # a hole
        else:
            valid_from = times[feed] - rng.randint(0, 400 * unit)  # or more than there is room for
        if rng.random() < 0.02:
            prices[feed] = rng.randint(-(1 << 191), (1 << 191) - 1) >> rng.randrange(0, 190)
        else:
            prices[feed] += rng.randint(-abs(prices[feed]) // 300 - 1, abs(prices[feed]) // 300 + 1)
        prices[feed] = max(-(1 << 191), min((1 << 191) - 1, prices[feed]))
        made = [Report(feed, valid_from, times[feed], prices[feed], 1)]
        if rng.random() < 0.02:
            made.append(Report(feed, valid_from, times[feed], prices[feed] // 2, rng.randint(1, 3)))
        for report in made:
            fate = rng.random()
            delays = [0]
            if fate < 0.1:
                delays = [rng.randint(1, 200)]
            elif fate < 0.11:
                delays = [rng.randint(1000, 5000)]
            if rng.random() < 0.1:
                delays.append(rng.randint(0, 300))
            for delay in delays:
                number += 1
                heapq.heappush(waiting, (pushed + delay, number, report))


class Bars:
    """What is counted, by the rule of docs/bars.md, and the bars of that, made at the end by sorting."""

    def __init__(self, interval, repair, gaps):
        self.interval, self.repair, self.gaps = interval * 1000, repair * 1000, gaps
        self.feeds, self.told = {}, {}
        self.counts = {"reports": 0, "late": 0, "repeated": 0}

    def push(self, report):
        feed = self.feeds.setdefault(report.feed, {"newest": None, "keys": set(), "all": [], "spans": []})
        newest = feed["newest"]
        oldest = None if newest is None else (newest - self.repair) // self.interval
        if oldest is not None and report.observed // self.interval < oldest:
            self.counts["late"] += 1
        elif report.key() in feed["keys"]:
            self.counts["repeated"] += 1
        else:
            self.counts["reports"] += 1
            feed["keys"].add(report.key())
            feed["all"].append(report)
            first = report.first if oldest is None else max(report.first, oldest * self.interval)
            feed["spans"].append((first, report.last))
            feed["newest"] = report.observed if newest is None else max(newest, report.observed)

    def tell(self, words):
        feed, time = int(words[0]), int(words[1])
        open_, high, low, close, count, first, last, covered, complete, revised = words[2:]
        key = (feed, time * 1000 // self.interval)
        before = self.told.get(key)
        assert (revised == "true") == (before is not None), ("revised", words)
        assert before is None or int(count) >= before[4], ("a bar lost reports", words)
        self.told[key] = (open_, high, low, close, int(count), first, last, int(covered), complete)

    def check(self):
        bars = 0
        for number, feed in self.feeds.items():
            merged = merge(feed["spans"])
            starts = [span[0] for span in merged]
            slots = {}
            for report in feed["all"]:
                slots.setdefault(report.observed // self.interval, []).append(report)
            newest = max(slots)
            wanted = range(min(slots), newest + 1) if self.gaps else sorted(slots)
            for slot in wanted:
                start = slot * self.interval
                covered = overlap(merged, starts, start, start + self.interval - 1)
                expected = bar_of(slots.get(slot), covered, slot != newest)
                got = self.told.pop((number, slot), None)
                assert got == expected, (self.interval, number, slot, got, expected)
                bars += 1
        assert not self.told, ("bars of nothing", list(self.told.items())[:3])
        return bars


def merge(spans):
    merged = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    return merged


def overlap(merged, starts, first, last):
    total, at = 0, max(0, bisect.bisect_right(starts, first) - 1)
    while at < len(merged) and merged[at][0] <= last:
        total += max(0, min(last, merged[at][1]) - max(first, merged[at][0]) + 1)
        at += 1
    return total


def bar_of(reports, covered, complete):
    complete = "true" if complete else "false"
    if not reports:
        return ("nil", "nil", "nil", "nil", 0, "nil", "nil", covered, complete)
    reports = sorted(reports, key=lambda report: report.observed)  # stable: as they came where times are equal
    raws = [report.raw for report in reports]
    return (exact(raws[0]), exact(max(raws)), exact(min(raws)), exact(raws[-1]), len(raws), str(reports[0].observed),
            str(reports[-1].observed), covered, complete)


class Averages:
    def __init__(self):
        self.feeds, self.count, self.checked = {}, 0, 0
        self.counts = {"reports": 0, "late": 0, "repeated": 0}
        self.expected = []

    def push(self, report):
        feed = self.feeds.setdefault(report.feed, {"keys": set(), "all": [], "last": None})
        if feed["last"] is not None and report.last < feed["last"] - WINDOW_MS + 1:
            self.counts["late"] += 1
        elif report.key() in feed["keys"]:
            self.counts["repeated"] += 1
        else:
            self.counts["reports"] += 1
            feed["keys"].add(report.key())
            self.count += 1
            bisect.insort(feed["all"], (report.observed, self.count, report))
            feed["last"] = max(feed["last"] or 0, report.last)
            if self.count % EVERY == 0:
                self.expected.append(self.average(feed))

    def average(self, feed):
        start = feed["last"] - WINDOW_MS + 1
        total = covered = count = 0
        for i in range(len(feed["all"]) - 1, -1, -1):
            report = feed["all"][i][2]
            if report.last < start:
                break
            before = feed["all"][i - 1][2].last if i > 0 else -1
            length = max(0, report.last - max(report.first, before + 1, start) + 1)
            total, covered, count = total + report.raw * length, covered + length, count + 1
        raw = abs(total) // covered * (-1 if total < 0 else 1)
        return [str(raw), exact(raw), str(total), str(covered), str(start), str(feed["last"]), str(count)]

    def tell(self, words):
        assert words[1:] == self.expected[self.checked], (words, self.expected[self.checked])
        self.checked += 1


class Guard:
    def __init__(self):
        self.passed, self.letters = {}, []

    def push(self, report, now):
        last = self.passed.get(report.feed)
        if last and report.observed <= last.observed:
            letter = "o"
        elif now - report.observed > MAX_AGE_MS:
            letter = "s"
        elif last and report.observed - last.observed < HEARTBEAT_MS and not self.moved(last.raw, report.raw):
            letter = "u"
        else:
            letter = "p"
            self.passed[report.feed] = report
        self.letters.append(letter)

    @staticmethod
    def moved(last, now):
        return last != now and abs(decimal.Decimal(now) - last) >= DEVIATION * abs(decimal.Decimal(last))


def feed_models(path, count, seed, models, guard):
    with open(path, "w") as file:
        for report, now in make(count, seed):
            file.write(report.line(now))
            for model in models:
                model.push(report)
            guard.push(report, now)


def read_answers(process, bars, averages, guard):
    """What the library said, and its counters."""
    counts, letters = [], []
    for line in process.stdout:
        words = line.split()
        if words[0] == "B":
            bars[int(words[1])].tell(words[2:])
        elif words[0] == "T":
            averages.tell(words[1:])
        elif words[0] == "G":
            letters.append(words[1])
        else:
            counts.append(tuple(int(word) for word in words[1:]))
    expected = [tuple(model.counts[name] for name in ("reports", "late", "repeated")) for model in bars + [averages]]
    assert counts == expected, ("counters", counts, expected)
    assert averages.checked == len(averages.expected) > 0, "averages are missing"
    assert "".join(letters) == "".join(guard.letters), "the guard decided otherwise"


def main():
    lua, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    bars, averages, guard = [Bars(*row) for row in BARS], Averages(), Guard()
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/reports"
        feed_models(path, count, seed, bars + [averages], guard)
        with open(path) as source:
            process = subprocess.Popen([lua, "spec/bars/run.lua"], stdin=source, stdout=subprocess.PIPE, text=True)
            read_answers(process, bars, averages, guard)
        assert process.wait() == 0, "run.lua failed"
    for model in bars:
        made = model.check()
        assert min(model.counts.values()) > 0, "nothing was late or repeated: %s" % model.counts
        print("bars of %d s: %d, of %s" % (model.interval // 1000, made, model.counts))
    print("averages: %d of %s" % (averages.checked, averages.counts))
    print("guard: " + ", ".join("%s %d" % (letter, guard.letters.count(letter)) for letter in "osup"))


if __name__ == "__main__":
    main()
