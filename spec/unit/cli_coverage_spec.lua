-- SPDX-License-Identifier: MIT
-- How much of a time reports cover, and how far a run is.

local chainlink = require "chainlink"
local coverage = require "chainlink.cli.coverage"
local progress = require "chainlink.cli.progress"
local recording = require "spec.support.recording"
local sample = require "spec.support.sample"

local T = 1700000000 -- 2023-11-14T22:13:20Z
local id = recording.id(3, 1)

local function report(second, valid_from)
  return chainlink.decode(recording.report(3, 1, second, valid_from))
end

describe("coverage", function()
  local function of(from, to, reports, names)
    local covered = coverage.new(from, to)
    covered:feed(id)
    for _, one in ipairs(reports) do covered:add(one) end
    return table.concat(covered:lines(names or {}), "\n"), covered
  end

  it("is all where each report follows on the one before", function()
    assert.are.equal("ETH/USD: 3 reports, 100 % covered",
      of(T, T + 3, { report(T), report(T + 2, T + 1), report(T + 3) }, { [id] = "ETH/USD" }))
  end)

  it("counts what no report is valid for, at both ends too", function()
    local line, covered = of(T, T + 9, { report(T + 2), report(T + 5, T + 4), report(T + 6) })
    assert.are.equal(id .. ": 3 reports, 40 % covered, 3 holes: 2023-11-14T22:13:20Z to 2023-11-14T22:13:21Z (2 s), "
      .. "2023-11-14T22:13:23Z to 2023-11-14T22:13:23Z (1 s), 2023-11-14T22:13:27Z to 2023-11-14T22:13:29Z (3 s)", line)
    assert.are.equal(3, covered.holes)
  end)

  it("is none without a report, and never rounded up", function()
    assert.are.equal(id .. ": 0 reports, 0 % covered, 1 hole: 2023-11-14T22:13:20Z to 2023-11-14T22:13:21Z (2 s)",
      (of(T, T + 1, {})))
    assert.matches("99%.99 %% covered", (of(T, T + 99999, { report(T + 99999, T + 1) })))
  end)

  it("may be completed by the report that comes next", function()
    assert.are.equal(id .. ": 1 reports, 100 % covered", (of(T, T + 9, { report(T + 5, T) })))
    assert.matches("60 %% covered, 1 hole: 2023%-11%-14T22:13:26Z to ", (of(T, T + 9, { report(T + 2, T), report(T + 5,
      T + 3) })))
  end)

  it("of no given time is that between the first report and the last", function()
    assert.are.equal(id .. ": 2 reports, 50 % covered, 1 hole: 2023-11-14T22:13:21Z to 2023-11-14T22:13:22Z (2 s)",
      (of(nil, nil, { report(T), report(T + 3) })))
    assert.are.equal(id .. ": 0 reports, 0 % covered", (of(nil, nil, {})))
  end)

  it("counts repeated seconds once, and lists few of many holes", function()
    local reports = { report(T), report(T) }
    for i = 1, 7 do reports[#reports + 1] = report(T + 2 * i) end
    local line = of(T, T + 14, reports)
    assert.matches("9 reports, 53%.33 %% covered, 7 holes: ", line)
    assert.matches("2023%-11%-14T22:13:29Z %(1 s%) and 2 more$", line)
  end)

  it("is to the millisecond for feeds that have them", function()
    local covered = coverage.new(T, T)
    covered:add(chainlink.decode(sample.ms_v3)) -- valid from 123, observed at 124
    local line = covered:lines({})[1]
    assert.matches("1 reports, 0%.2 %% covered, 2 holes: ", line)
    assert.matches("2023%-11%-14T22:13:20%.000Z to 2023%-11%-14T22:13:20%.122Z %(0%.123 s%)", line)
  end)
end)

describe("coverage to the millisecond", function()
  -- The lines for feed 0x1, whose reports are valid from and observed at such milliseconds.
  local function of(spans, from, to)
    local covered = coverage.new(from, to)
    covered:feed "0x1"
    for _, span in ipairs(spans) do
      covered:add { feed_id = "0x1", valid_from_timestamp_ms = span[1], observations_timestamp_ms = span[2],
        resolution = "ms" }
    end
    return table.concat(covered:lines {}, "\n")
  end

  it("knows a hole of one", function()
    assert.are.equal("0x1: 2 reports, 66.66 % covered, 1 hole: 1970-01-01T00:00:00.006Z to 1970-01-01T00:00:00.006Z "
      .. "(0.001 s)", of { { 5, 5 }, { 7, 7 } })
    assert.are.equal("0x1: 2 reports, 100 % covered", of { { 5, 5 }, { 6, 6 } })
    assert.are.equal("0x1: 1 reports, 100 % covered", of { { 5, 5 } })
  end)

  it("leaves the end to the next report where that may be as long as the longest", function()
    assert.are.equal("0x1: 1 reports, 50 % covered, 1 hole: 1970-01-01T00:00:00.500Z to 1970-01-01T00:00:00.999Z "
      .. "(0.5 s)", of({ { 0, 499 } }, 0, 0))
    assert.are.equal("0x1: 1 reports, 99.8 % covered, 1 hole: 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:00.000Z "
      .. "(0.001 s)", of({ { 1, 500 } }, 0, 0))
  end)

  it("writes holes of any length", function()
    assert.matches("%(5000 s%)$", of { { 0, 0 }, { 5000001, 5000001 } })
    assert.matches("%(5000%.25 s%)$", of { { 0, 0 }, { 5000251, 5000251 } })
  end)

  it("has its feeds in the order of their ids", function()
    local covered, expected = coverage.new(), {}
    for i = 9, 1, -1 do
      covered:feed("0x" .. i)
      expected[i] = ("0x%d: 0 reports, 0 %% covered"):format(i)
    end
    assert.are.same(expected, covered:lines {})
  end)
end)

describe("progress", function()
  it("tells the time reached, the share, the rate, what is left, and holes", function()
    local told = progress.new(T, T + 99, T, true)
    told.count = 50
    assert.are.equal("2023-11-14 22:13:44  25 %  50 reports, 5/s, 30s left, 2 holes",
      told:line(T + 24, 2, told.begun + 10))
  end)

  it("reckons what is left by what this run has done", function()
    local told = progress.new(T, T + 99999, T + 90000, true)
    told.count = 1000
    assert.matches(" 91 %%  1000 reports, 1000/s, 9s left", told:line(T + 90999, 0, told.begun + 1))
    assert.matches("1h23m left", told:line(T + 90017, 0, told.begun + 9))
    assert.matches("16m39s left", told:line(T + 90999, 0, told.begun + 111))
  end)
end)
