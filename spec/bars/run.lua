-- SPDX-License-Identifier: MIT
-- Reads reports from check.py, one a line, and tells what the library makes of them.

local chainlink = require "chainlink"

local REMEMBER = 2 ^ 24 -- more than there are: what is forgotten has a spec of its own
local EVERY = 10

local function zeros(count) return ("0"):rep(count) end
local function word(number) return ("%064x"):format(number) end

local function feed_id(number, kind) return kind .. ("%060x"):format(number) end

local ids = { [0] = feed_id(1, "0003"), feed_id(2, "1003"), feed_id(3, "0003"), feed_id(4, "1003") }
local numbers = {}
for number, id in pairs(ids) do numbers["0x" .. id] = number end

local head = zeros(192) .. word(7 * 32) .. word(17 * 32) .. word(18 * 32) .. zeros(64) .. word(9 * 32)
local tail = zeros(128)

local function decode(line)
  local number, from, time, price, bid, now = line:match "^(%d) (%x+) (%x+) (%x+) (%x+) (%d+)$"
  local function short(hex) return zeros(48) .. hex end
  local report = assert(chainlink.decode(head .. ids[tonumber(number)] .. short(from) .. short(time) .. word(1)
    .. word(2) .. short(time) .. price .. short(bid) .. word(3) .. tail))
  return report, tonumber(now) / 1000
end

local now
local makers = {}
for i, row in ipairs { { "1s", 120, false }, { "1m", 900, true }, { "1h", 900, false }, { "1d", 7200, true } } do
  makers[i] = chainlink.bars { interval = row[1], repair = row[2], gaps = row[3], remember = REMEMBER }
end
local twap = chainlink.twap { window = "1m", remember = REMEMBER }
local guard = chainlink.guard { max_age = 30, deviation = "0.25%", heartbeat = 45.5, clock = function() return now end }

local function tell(...)
  local words = { ... }
  for i = 1, select("#", ...) do
    local value = words[i]
    words[i] = type(value) == "number" and ("%.0f"):format(value) or tostring(value)
  end
  print(table.concat(words, " "))
end

local function tell_bars(i)
  for bar in function() return makers[i]:take() end do
    assert(bar.coverage == bar.covered_ms / (bar.interval * 1000))
    tell("B", i - 1, numbers[bar.feed_id], bar.time, bar.open, bar.high, bar.low, bar.close, bar.count, bar.first_ms,
      bar.last_ms, bar.covered_ms, bar.complete, bar.revised)
  end
end

local letters = { older = "o", stale = "s", unmoved = "u" }
local counted = 0
for line in io.lines() do
  local report
  report, now = decode(line)
  for i, bars in ipairs(makers) do
    assert(bars:push(report) ~= nil)
    tell_bars(i)
  end
  if twap:push(report) then
    counted = counted + 1
    local value = counted % EVERY == 0 and twap:value(report.feed_id)
    if value then
      tell("T", numbers[value.feed_id], value.raw, value.average, value.sum, value.covered_ms, value.from_ms,
        value.to_ms, value.count)
    end
  end
  local passes, reason = guard:check(report)
  tell("G", passes and "p" or letters[reason])
end
for i, bars in ipairs(makers) do
  bars:flush()
  tell_bars(i)
end
for _, maker in ipairs { makers[1], makers[2], makers[3], makers[4], twap } do
  local stats = maker:stats()
  tell("S", stats.reports, stats.late, stats.repeated)
end
