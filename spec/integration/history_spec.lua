-- SPDX-License-Identifier: MIT
-- chainlink-streams history into files, against the simulator: whole, interrupted, and read by other programs.

local chainlink = require "chainlink"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local FROM = 1735689600 - 600 -- ten minutes before 2025 begins
local FEEDS = tonumber(os.getenv "HISTORY_FEEDS") or 5
local SECONDS = tonumber(os.getenv "HISTORY_SECONDS") or 600
local KILLS = tonumber(os.getenv "KILLS") or 5
local LIMIT = tonumber(os.getenv "HISTORY_LIMIT") or 120

describe("history into files", function()
  local sim, exports, ids, folder, remove
  local has_python = select(2, project.run "/usr/bin/python3 -c 'import sqlite3, decimal, csv'") == 0
  local has_sqlite = require "chainlink.core".sqlite_open(":memory:", true) ~= nil

  setup(function()
    -- some feeds have milliseconds, several reports a second, and holes
    sim = simulator.start { rate = 1, fast = "2:3", rate_limit = 0, oracles = 1, signers = 1, feeds = FEEDS,
      ms_feeds = 1, irregular = 1, outage = ("%d:%d"):format(FROM + 30, FROM + 39) }
    exports = sim:exports()
    local client = sim:client()
    ids = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    client:close()
  end)

  before_each(function() folder, remove = project.folder() end)
  after_each(function() remove() end)
  teardown(function() sim:stop() end)

  local function command(words)
    return ("%s timeout %d chainlink-streams history %s"):format(exports, LIMIT, (words:gsub("FOLDER", folder)))
  end

  local function run(words) return project.run(command(words)) end

  -- The command on all feeds, for so many seconds from FROM on.
  local function words(file, seconds, more)
    return ("%s --from %d --to %d --out FOLDER/%s %s"):format(table.concat(ids, " "), FROM, FROM + seconds - 1, file,
      more or "")
  end

  local function good(text)
    local output, status = run(text)
    assert.are.equal(0, status, output)
    return output
  end

  local function read(file) return project.read(folder .. "/" .. file) end

  -- What the service has, in the order of the file.
  local function expected(seconds)
    local client, list = sim:client { rate_limit = false }, {}
    for _, id in ipairs(ids) do
      for report in client:reports(id, FROM, FROM + seconds - 1) do list[#list + 1] = report end
    end
    client:close()
    table.sort(list, function(a, b)
      if a.observations_timestamp_ms ~= b.observations_timestamp_ms then
        return a.observations_timestamp_ms < b.observations_timestamp_ms
      end
      if a.feed_id ~= b.feed_id then return a.feed_id < b.feed_id end
      return a.report_blob < b.report_blob
    end)
    return list
  end

  it("keeps a recording", function()
    good(words("a.jsonl", 90))
    local list, count = expected(90), 0
    for report in assert(chainlink.replay(folder .. "/a.jsonl", { speed = "max" })) do
      count = count + 1
      assert.are.equal(list[count].full_report, report.full_report)
      assert.is_nil(report.received_at)
    end
    assert.are.equal(#list, count)
    local per_feed = {}
    for _, report in ipairs(list) do per_feed[report.feed_id] = (per_feed[report.feed_id] or 0) + 1 end
    assert.are.equal(240, per_feed[ids[1]]) -- 80 seconds of three
    assert.are.equal(80, per_feed[ids[3]])
    assert.is_true(per_feed[ids[FEEDS]] < 80)
  end)

  it("tells what is covered, and holes, on standard error", function()
    local output = good(words("a.csv", 90))
    assert.matches("^# 2024%-12%-31T23:50:00Z to 2024%-12%-31T23:51:29Z\n", output)
    local _, lines = output:gsub("\n", "")
    assert.are.equal(1 + FEEDS, lines)
    assert.matches("\n# [%w/-]+: 80 reports, 100 %% covered\n", output)
    assert.are.equal("", (good(words("b.csv", 90, "--quiet"))))
  end)

  it("is CSV that Python reads, with exact values", function()
    if not has_python then return pending "there is no python3 with sqlite3" end
    good(words("a.csv", 60))
    project.write(folder .. "/read.py", [[
import csv, sys
from decimal import Decimal
for row in csv.DictReader(open(sys.argv[1], newline="")):
    assert None not in row and None not in row.values()
    print(row["feed_id"], row["observations_timestamp"], int(Decimal(row["price"]).scaleb(18)), row["full_report"])
]])
    local output, status = project.run(("/usr/bin/python3 %s/read.py %s/a.csv"):format(folder, folder))
    assert.are.equal(0, status, output)
    local wanted = {}
    for i, report in ipairs(expected(60)) do
      wanted[i] = ("%s %.0f %s %s\n"):format(report.feed_id, report.observations_timestamp, report:raw "price",
        report.full_report)
    end
    assert.are.equal(table.concat(wanted), output)
  end)

  it("is a database that Python reads, with exact values", function()
    if not (has_python and has_sqlite) then return pending "there is no python3 with sqlite3, or no libsqlite3" end
    good(words("a.sqlite", 60))
    project.write(folder .. "/read.py", [[
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
assert base.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
assert base.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
unnamed = "SELECT count(*) FROM reports LEFT JOIN feeds USING (feed_id) WHERE name IS NULL"
assert base.execute(unnamed).fetchone()[0] == 0
try:
    base.execute("INSERT INTO reports SELECT * FROM reports LIMIT 1")
    sys.exit("a report twice")
except sqlite3.IntegrityError:
    pass
for row in base.execute("SELECT feed_id, observations_timestamp_ms, price, full_report FROM reports ORDER BY rowid"):
    assert type(row[1]) is int and type(row[2]) is str
    print(*row)
]])
    local output, status = project.run(("/usr/bin/python3 %s/read.py %s/a.sqlite"):format(folder, folder))
    assert.are.equal(0, status, output)
    local wanted = {}
    for i, report in ipairs(expected(60)) do
      wanted[i] = ("%s %.0f %s %s\n"):format(report.feed_id, report.observations_timestamp_ms, report:exact "price",
        report.full_report)
    end
    assert.are.equal(table.concat(wanted), output)
  end)

  for _, kind in ipairs { "csv", "jsonl" } do
    it("goes on with a file that was cut anywhere, to the same bytes: " .. kind, function()
      good(words("whole." .. kind, 20))
      local whole = read("whole." .. kind)
      local lengths = { 0, whole:find "\n" - 1, whole:find "\n", #whole - 1, #whole }
      for i = 1, 3 do lengths[#lengths + 1] = math.floor(#whole * i / 4) + i end
      for _, length in ipairs(lengths) do
        project.write(folder .. "/cut." .. kind, whole:sub(1, length))
        good(words("cut." .. kind, 20, "--resume"))
        assert.is_true(whole == read("cut." .. kind), "cut at " .. length)
      end
    end)
  end

  -- Runs the command until its files have so many bytes, kills it, and cuts so many off, as a break may.
  local function kill_at(text, size, cut, file)
    project.write(folder .. "/script", ([[
      %s --resume --quiet & pid=$!
      size() { set -- $(stat -c %%s FOLDER/%s* 2>/dev/null) 0 0 0; echo $(($1 + $2 + $3)); }
      while kill -0 $pid 2>/dev/null && [ $(size) -lt %d ]; do sleep 0.01; done
      kill -9 $pid 2>/dev/null; wait $pid
      [ %d -eq 0 ] || [ ! -s FOLDER/%s ] || truncate -s -%d FOLDER/%s || true]]):format(
      command(text):gsub("timeout %d+ ", ""), file, size, cut, file, cut, file):gsub("FOLDER", folder))
    project.run(("timeout -k 5 %d sh %s/script"):format(LIMIT, folder))
  end

  local seed = tonumber(os.getenv "SEED") or os.time()
  local function random(most)
    seed = seed * 16807 % 2147483647
    return seed % most
  end

  for kind, kills in pairs { csv = 2, jsonl = KILLS } do
    it(("that was killed %d times is byte for byte the one that was not: %s"):format(kills, kind), function()
      if kills == 2 and os.getenv "KILLS" then return pending "the long form is of recordings" end
      good(words("whole." .. kind, SECONDS, "--quiet"))
      local size = tonumber((project.run(("stat -c %%s %s/whole.%s"):format(folder, kind))))
      local points = {}
      for i = 1, kills do points[i] = random(size) end
      table.sort(points)
      for i, point in ipairs(points) do
        kill_at(words("cut." .. kind, SECONDS), point, i % 2 * random(3000), "cut." .. kind)
      end
      good(words("cut." .. kind, SECONDS, "--resume --quiet"))
      local output, status = project.run(("cmp %s/whole.%s %s/cut.%s"):format(folder, kind, folder, kind))
      assert.are.equal(0, status, ("%s (SEED=%d)"):format(output, seed))
    end)
  end

  it("that was killed is the same database as one that was not", function()
    if not (has_python and has_sqlite) then return pending "there is no python3 with sqlite3, or no libsqlite3" end
    if os.getenv "KILLS" then return pending "the long form is of recordings" end
    good(words("whole.db", 300, "--quiet"))
    for i = 1, 2 do kill_at(words("cut.db", 300), 500000 * i + random(1000000), 0, "cut.db") end
    good(words("cut.db", 300, "--resume --quiet"))
    project.write(folder .. "/same.py", [[
import sqlite3, sys
a, b = (sqlite3.connect(path) for path in sys.argv[1:])
for table in "reports", "feeds", "history":
    rows = [base.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for base in (a, b)]
    assert rows[0] and rows[0] == rows[1], table
assert b.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
]])
    local output, status = project.run((("/usr/bin/python3 FOLDER/same.py FOLDER/whole.db FOLDER/cut.db")
      :gsub("FOLDER", folder)))
    assert.are.equal(0, status, output)
  end)

  it("in a file for each day goes on with the last", function()
    local text = words("a.jsonl", 700, "--split day --quiet")
    good(text)
    assert.are.equal("a-2024-12-31.jsonl\na-2025-01-01.jsonl\n", (project.run("ls " .. folder)))
    local first, second = read "a-2024-12-31.jsonl", read "a-2025-01-01.jsonl"
    assert.matches('^[^\n]*"from":1735689000,', first)
    assert.matches('^[^\n]*"from":1735689600,', second)
    local output, status = run(text)
    assert.are.equal(1, status)
    assert.matches("a%-2025%-01%-01%.jsonl is there already", output)
    for _, cut in ipairs { { second:sub(1, 5000) }, { nil, first:sub(1, -5000) }, { second:sub(1, 10) }, {} } do
      os.remove(folder .. "/a-2025-01-01.jsonl")
      if cut[1] then project.write(folder .. "/a-2025-01-01.jsonl", cut[1]) end
      if cut[2] then project.write(folder .. "/a-2024-12-31.jsonl", cut[2]) end
      good(text .. " --resume")
      assert.is_true(first == read "a-2024-12-31.jsonl")
      assert.is_true(second == read "a-2025-01-01.jsonl")
    end
  end)

  it("goes on from where a file ends, whatever was asked for before", function()
    good(words("a.jsonl", 10, "--quiet"))
    local output = good(words("a.jsonl", 20, "--resume"))
    assert.matches("^# gone on with from 2024%-12%-31T23:50:09Z to 2024%-12%-31T23:50:19Z\n", output)
    good(words("b.jsonl", 20, "--quiet"))
    assert.is_true(read "a.jsonl" == read "b.jsonl")
    output = good(words("a.jsonl", 10, "--resume"))
    assert.matches("a%.jsonl goes on to 2024%-12%-31T23:50:19Z already\n$", output)
    assert.is_true(read "a.jsonl" == read "b.jsonl")
  end)

  it("refuses what would be wrong", function()
    local function fails(code, text, words_)
      local output, status = run(words_)
      assert.are.equal(code, status, output)
      assert.truthy(output:find(text, 1, true), output)
    end
    good(words("a.jsonl", 10, "--quiet"))
    fails(1, "a.jsonl is there already: --resume goes on with it", words("a.jsonl", 10))
    fails(1, "is of other feeds", ids[1] .. " --out FOLDER/a.jsonl --resume --from now-60")
    fails(1, "later than --from", table.concat(ids, " ") .. " --out FOLDER/a.jsonl --resume --from 2020-01-01")
    project.write(folder .. "/b.jsonl", "rubbish\n")
    fails(1, "is no recording", words("b.jsonl", 10, "--resume"))
    assert.are.equal("rubbish\n", read "b.jsonl")
    good(ids[2] .. " --out FOLDER/a.csv --quiet --from now-60")
    fails(1, "has other columns", table.concat(ids, " ") .. " --out FOLDER/a.csv --resume --from now-60")
    fails(2, "--resume is for --output", ids[1] .. " --resume")
    fails(2, "--resume is for --output", ids[1] .. " --resume -o -")
    fails(2, "--split is for --output", ids[1] .. " --split day")
    fails(2, "--split is for --output, without a template", words("c.csv", 10, "--split day -f %p"))
    fails(2, "--format jsonl is for --output", ids[1] .. " --format jsonl")
    fails(2, "--count is for no file of csv, jsonl or sqlite", words("c.csv", 10, "--count 3"))
    for _, more in ipairs { "--resume", "--split day", "--resume --format json" } do
      fails(2, "must end in .csv, .jsonl or .sqlite", words("c", 10, more))
    end
    fails(2, "gzip or zstd does it afterwards", words("c.jsonl.gz", 10))
    fails(2, "what is 10 seconds old", ids[1] .. " --out FOLDER/c.csv --from now-5")
    fails(1, "cannot be opened", words("nowhere/c.csv", 10))
    fails(2, "the template has '%x'", ids[1] .. " -f %x")
  end)

  it("has --out, --output and -o for one thing", function()
    good(words("a.csv", 10, "--quiet"))
    good(words("b.csv", 10, "--quiet"):gsub("%-%-out ", "-o "))
    good(words("c", 10, "--quiet --format csv"):gsub("%-%-out ", "--output "))
    assert.is_true(read "a.csv" == read "b.csv" and read "a.csv" == read "c")
    local output, status = run((words("b.csv", 10):gsub("%-%-out ", "-o ")))
    assert.are.equal(1, status)
    assert.matches("b%.csv is there already: %-%-resume goes on with it", output)
  end)

  it("writes what cannot be gone on with in one step, as other commands do", function()
    local function timeless(text) return (text:gsub('"received_at":[%d.]+', "")) end
    for _, more in ipairs { "--format json", "--format table", "-f '%t %p\\n'" } do
      local printed = timeless(good((words("x", 3, more):gsub("%-%-out %S+ ", ""))))
      for name in ("a.txt a.csv"):gmatch "%S+" do
        assert.are.equal("", good(words(name, 3, more)))
        assert.is_true(#printed > 100 and printed == timeless(read(name)), more)
      end
    end
    assert.are.equal("", good(words("plain", 3)))
    assert.matches("^observed ", read "plain")
  end)

  it("ends with 130 on Ctrl-C, and can be gone on with", function()
    project.write(folder .. "/script", ([[
      %s >FOLDER/out 2>&1 & pid=$!
      until [ -s FOLDER/cut.jsonl ] && [ $(wc -c <FOLDER/cut.jsonl) -gt 100000 ]; do
        kill -0 $pid || exit 99; sleep 0.01; done
      kill -INT $pid; wait $pid]]):format(command(words("cut.jsonl", 7200)):gsub("timeout %d+ ", ""))
      :gsub("FOLDER", folder))
    local output, status = project.run(("timeout -k 5 60 sh %s/script"):format(folder))
    assert.are.equal(130, status, output .. read "out")
    good(words("cut.jsonl", 600, "--resume --quiet"))
    good(words("whole.jsonl", 600, "--quiet"))
    local cut, whole = read "cut.jsonl", read "whole.jsonl"
    assert.is_true(cut == whole or whole == cut:sub(1, #whole))
  end)

  it("writes several feeds in order on standard output, by a template too", function()
    local output = good(("%s %s --from %d --to %d -f '%%n %%i %%t %%p %%s\\n'"):format(ids[4], ids[3], FROM, FROM + 2))
    local wanted, client = {}, sim:client()
    local name_of = {}
    for _, feed in ipairs(assert(client:get_feeds())) do name_of[feed.id] = feed.name end
    for report in client:history { feeds = { ids[3], ids[4] }, from = FROM, to = FROM + 2 } do
      wanted[#wanted + 1] = ("%s %s %s %s v%d\n"):format(name_of[report.feed_id], report.feed_id,
        os.date("!%Y-%m-%dT%H:%M:%SZ", report.observations_timestamp), report:exact "price", report.version)
    end
    client:close()
    assert.are.equal(6, #wanted)
    assert.are.equal(table.concat(wanted), output)
    output = good(("%s %s --from %d --to %d --count 4 --format csv"):format(ids[4], ids[3], FROM, FROM + 2))
    assert.are.equal(5, select(2, output:gsub("\n", "")))
  end)

  it("keeps up with the rate limit", function()
    local limited = simulator.start { feeds = 2, rate_limit = 3, oracles = 1, signers = 1 }
    finally(function() limited:stop() end)
    local client, names = limited:client(), {}
    for i, feed in ipairs(assert(client:get_feeds())) do names[i] = feed.id end
    client:close()
    local output, status = project.run(("%s timeout 60 chainlink-streams history %s --from %d --to %d --out %s/a.csv")
      :format(limited:exports(), table.concat(names, " "), FROM, FROM + 1999, folder))
    assert.are.equal(0, status, output)
    assert.are.equal(4001, select(2, read "a.csv":gsub("\n", "")))
  end)
end)
