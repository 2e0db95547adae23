-- SPDX-License-Identifier: MIT
-- Files of a history in DuckDB, by the lines that docs/history.md has: every value is what the report says.

local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local FROM, SECONDS = 1735689600, 30
local RUN = [[
import duckdb, sys
for row in duckdb.connect().execute(sys.argv[1]).fetchall():
    print(*row, sep="|")
]]

local python, status = project.run "scripts/duckdb"
if status ~= 0 then
  describe("DuckDB", function() it("reads files of a history", function() pending(python) end) end)
  return
end
python = python:match "^[^\n]*"

describe("DuckDB", function()
  local sim, folder, remove, reports
  local lines = {}
  for line in project.read "docs/history.md":match "\n## Parquet and others\n(.*)$":gmatch "\n```%l*\n(.-)\n```" do
    lines[#lines + 1] = line
  end

  local function sh(words)
    local output, code = project.run(("cd %s && %s"):format(folder, words))
    assert.are.equal(0, code, output)
    return output
  end

  local function sql(text) return sh(('%s -I run.py "%s"'):format(python, text)) end

  -- What the service has, as lines that `line_of` makes; sorted, as the order is another spec's matter.
  local function expected(line_of)
    local list = {}
    for i, report in ipairs(reports) do list[i] = line_of(report) .. "\n" end
    table.sort(list)
    return table.concat(list)
  end

  local function sorted(text)
    local list = {}
    for line in text:gmatch "[^\n]*\n" do list[#list + 1] = line end
    table.sort(list)
    return table.concat(list)
  end

  local function as_text(report)
    return ("%d|%s|%.0f|%s|%s"):format(report.version, report.feed_id, report.observations_timestamp,
      report:exact "price", report.full_report)
  end

  -- With all 18 digits that a DECIMAL of the line has.
  local function as_decimal(report)
    local whole, part = report:exact "price":match "^(-?%d+)%.?(%d*)$"
    return ("%s|%s.%s"):format(report.feed_id, whole, part .. ("0"):rep(18 - #part))
  end

  local WANTED = "version, feed_id, observations_timestamp, price, full_report"

  setup(function()
    -- a feed of each schema, one with several reports a second, one in milliseconds
    sim = simulator.start { fast = "2:3", rate_limit = 0, oracles = 1, signers = 1, feeds = 14, ms_feeds = 1 }
    folder, remove = project.folder()
    project.write(folder .. "/run.py", RUN)
    local client, ids = sim:client { rate_limit = false }, {}
    reports = {}
    for i, feed in ipairs(assert(client:get_feeds())) do ids[i] = feed.id end
    for report in client:history { feeds = ids, from = FROM, to = FROM + SECONDS - 1 } do
      reports[#reports + 1] = report
    end
    client:close()
    sh(("env %s timeout 60 chainlink-streams history %s --from %d --to %d --out january.csv --quiet"):format(
      sim:exports(), table.concat(ids, " "), FROM, FROM + SECONDS - 1))
  end)

  teardown(function()
    remove()
    sim:stop()
  end)

  it("reads CSV of history and of convert, with exact values", function()
    assert.is_true(#reports > 14 * SECONDS)
    sh "chainlink-streams convert january.csv -o january.jsonl --quiet"
    sh "chainlink-streams convert january.jsonl -o again.csv --quiet"
    for _, name in ipairs { "january.csv", "again.csv" } do
      local output = sql(("SELECT %s FROM read_csv('%s', all_varchar = true)"):format(WANTED, name))
      assert.is_true(expected(as_text) == sorted(output), name)
    end
  end)

  it("makes Parquet of it, whose values are the same texts", function()
    sql(lines[1])
    assert.is_true(expected(as_text) == sorted(sql(("SELECT %s FROM 'january.parquet'"):format(WANTED))))
    local rows = "SELECT * FROM "
    assert.is_true(sql(rows .. "read_csv('january.csv', all_varchar = true)") == sql(rows .. "'january.parquet'"))
  end)

  it("makes Parquet of it with prices as exact decimals", function()
    sql(lines[2])
    assert.are.equal("DECIMAL(38,18)\n", sql "SELECT DISTINCT typeof(price) FROM 'prices.parquet'")
    assert.is_true(expected(as_decimal) == sorted(sql "SELECT feed_id, price FROM 'prices.parquet'"))
  end)

  it("reads what sqlite3 writes of a database", function()
    if not require "chainlink.core".sqlite_open(":memory:", true) then return pending "libsqlite3 is not here" end
    if select(2, project.run "command -v sqlite3") ~= 0 then return pending "sqlite3 is not here" end
    sh "chainlink-streams convert january.csv -o january.sqlite --quiet"
    sh(lines[3])
    local wanted = {}
    for _, report in ipairs(reports) do
      if report.version == 3 then
        wanted[#wanted + 1] = ("%s|%s|%s|%s\n"):format(report.feed_id, report:exact "bid", report:exact "ask",
          report.full_report)
      end
    end
    table.sort(wanted)
    assert.is_true(#wanted > 0)
    local output = sql "SELECT feed_id, bid, ask, full_report FROM read_csv('v3.csv', all_varchar = true)"
    assert.is_true(table.concat(wanted) == sorted(output))
  end)
end)
