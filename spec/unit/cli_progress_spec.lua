-- SPDX-License-Identifier: MIT
-- The line that tells how far a long run is: its figures, and when it is written.

local core = require "chainlink.core"
local progress = require "chainlink.cli.progress"
local standard_error = require "spec.support.standard_error"
local stopped_clock = require "spec.support.stopped_clock"

local T = 1735689600 -- 2025-01-01

describe("the line of progress", function()
  local clock, isatty, is_terminal
  before_each(function()
    clock, isatty, is_terminal = stopped_clock.at(1000), core.isatty, false
    core.isatty = function(fd) return fd == 2 and is_terminal end
  end)
  after_each(function()
    core.isatty = isatty
    clock.restore()
  end)

  -- The line after so many reports and seconds, in a range of 1,000 seconds of which `there` were there before.
  local function line(second, count, elapsed, there, holes)
    local told = progress.new(T, T + 999, T + (there or 0))
    told.count = count
    return told:line(T + second, holes or 0, 1000 + elapsed)
  end

  it("has how far it is, and how long it may take", function()
    assert.equal("2025-01-01 00:01:39  10 %  200 reports, 20/s, 1m30s left, 3 holes", line(99, 200, 10, 0, 3))
    assert.equal("2025-01-01 00:16:39  100 %  5 reports, 1/s, 0s left, 0 holes", line(999, 5, 5))
    assert.equal("2025-01-01 00:00:00  0 %  1 reports, 1/s, 16m39s left, 0 holes", line(0, 1, 1))
    assert.equal("2025-01-01 00:16:49  100 %", line(1009, 1, 1):match "^.-%%")
  end)

  it("reckons by what it has brought itself", function()
    assert.equal("2025-01-01 00:08:19  50 %  1 reports, 0/s, 50s left, 0 holes", line(499, 1, 10, 400))
  end)

  it("tells no time to be left that is none, and divides by none", function()
    assert.equal("2025-01-01 00:01:39  10 %  2 reports, 2000/s, 0s left, 0 holes", line(99, 2, 0))
  end)

  it("never rounds up", function()
    assert.equal(99, tonumber(line(998, 1, 1):match "(%d+) %%"))
  end)

  it("has seconds, minutes and hours", function()
    local function left(seconds) -- nothing but the last `seconds` seconds are left, one a second
      local told = progress.new(T, T + seconds, T)
      return told:line(T, 0, 1001):match "([%dhms]+) left"
    end
    assert.equal("59s", left(59))
    assert.equal("1m00s", left(60))
    assert.equal("59m59s", left(3599))
    assert.equal("1h00m", left(3600))
    assert.equal("25h59m", left(25 * 3600 + 59 * 60))
  end)

  -- What is written of a report every second, for so many seconds.
  local function written(seconds, is_quiet)
    local lines = {}
    local told = progress.new(T, T + 999, T, is_quiet)
    for second = 0, seconds do
      clock.now = 1000 + second
      local text = standard_error.of(told.note, told, T + second, 0)
      if text ~= "" then lines[#lines + 1] = second .. text end
    end
    return lines, told
  end

  it("is written each half minute to what is no terminal", function()
    local lines, told = written(60)
    assert.same({ "30# 2025-01-01 00:00:30  3 %  31 reports, 1/s, 15m37s left, 0 holes\n",
      "60# 2025-01-01 00:01:00  6 %  61 reports, 1/s, 15m23s left, 0 holes\n" }, lines)
    assert.equal("", (standard_error.of(told.close, told)))
  end)

  it("changes four times a second on a terminal, at once and within its width, and goes away", function()
    is_terminal = true
    local lines, told = written(0)
    assert.same({ "0\r\27[?7l2025-01-01 00:00:00  0 %  1 reports, 1000/s, 1s left, 0 holes\27[K\27[?7h" }, lines)
    local at = {}
    for i = 1, 8 do
      clock.now = 1000 + i / 8
      if standard_error.of(told.note, told, T, 0) ~= "" then at[#at + 1] = i / 8 end
    end
    assert.same({ 0.25, 0.5, 0.75, 1 }, at)
    assert.equal("\r\27[K", (standard_error.of(told.close, told)))
  end)

  it("is not there where it is to be quiet", function()
    assert.same({}, (written(60, true)))
    is_terminal = true
    local lines, told = written(60, true)
    assert.same({}, lines)
    assert.equal("", (standard_error.of(told.close, told)))
  end)
end)
