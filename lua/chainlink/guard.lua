-- SPDX-License-Identifier: MIT
-- A guard before what acts on a price: passes reports that are fresh, of an open market, and moved or due; and counts
-- what it holds back, by reason. docs/bars.md has the rules.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local over = require "chainlink.over"
local reading = require "chainlink.reading"
local signers = require "chainlink.later" "chainlink.signers"

local LONGEST = 366 * 86400

-- "0.5%" -> 5, 1000
local function share(text)
  if type(text) ~= "string" then return nil end
  local whole, fraction = text:match "^(%d+)%.(%d+)%%$"
  if not whole then whole, fraction = text:match "^(%d+)%%$", "" end
  if not whole or #whole > 4 or #fraction > 9 then return nil end
  return tonumber(whole .. fraction), 100 * 10 ^ #fraction
end

local statuses = { unknown = true, closed = true, open = true, pre_market = true, regular_hours = true,
  post_market = true, overnight = true }

-- "open", or an array of statuses, as a set. The regular hours of schema v11 are what others call open.
local function status_set(value)
  local set = {}
  for _, name in ipairs(type(value) == "table" and value or { value }) do
    if not statuses[name] then return nil end
    set[name] = true
    if name == "open" then set.regular_hours = true end
  end
  return next(set) and set or nil
end

local of_seconds = "a number of seconds above 0"
local rows = {
  { "max_age", nil, config.number_between(0.001, LONGEST), of_seconds },
  { "market", nil, function(value) return status_set(value) ~= nil end, '"open", or an array of market statuses',
    read = status_set },
  { "deviation", nil, function(value) return share(value) ~= nil end, 'a text like "0.5%"' },
  { "heartbeat", nil, config.number_between(0.001, LONGEST), of_seconds },
  { "clock", nil, function(value) return type(value) == "function" end, "a function that answers Unix seconds" },
}

local methods = {}
local Guard = { __index = methods }

-- Each answers whether it holds the report back. In this order, the dear one last: the first counts.
local reasons = { "unreadable", "older", "stale", "market", "paused", "unmoved", "unverified" }
local holds = {}

function holds.unreadable(_, now) return not now.raw end

function holds.older(_, now) return now.last ~= nil and now.observed <= now.last.observed end

-- To the millisecond: seconds with fractions are not exact.
local function in_ms(seconds) return math.floor(seconds * 1000 + 0.5) end

function holds.stale(self, now)
  return self.max_age ~= nil and in_ms(self.clock()) - now.observed > in_ms(self.max_age)
end

-- A schema without a market status is of a market that never closes.
function holds.market(self, now)
  local status = now.report.market_status
  if not self.market or status == nil then return false end
  return not self.market[now.report:market_status_name() or "unknown"]
end

function holds.paused(_, now) return now.report:is_paused() == true end

function holds.unmoved(self, now)
  local last = now.last
  if not last or not (self.deviation or self.heartbeat) then return false end
  if self.heartbeat and now.observed - last.observed >= in_ms(self.heartbeat) then return false end
  return not (self.deviation and core.exact_moved(last.raw, now.raw, self.numerator, self.denominator))
end

function holds.unverified(self, now)
  return self.verify ~= nil and not signers.verify(now.report, self.verify)
end

--- Does the report pass? -> true | false, the reason why not
function methods.check(self, report)
  check.object(self, Guard, "guard", "check")
  reading.check(report, "check")
  local id = report.feed_id
  local raw, _, observed = self.read(report)
  local now = { report = report, raw = raw, observed = observed, last = self.passed[id] }
  for _, reason in ipairs(reasons) do
    if holds[reason](self, now) then
      self.counts[reason] = self.counts[reason] + 1
      return false, reason
    end
  end
  self.counts.passed = self.counts.passed + 1
  self.passed[id] = { raw = raw, observed = observed }
  return true
end

--- A source of the reports that pass, over a source of reports.
function methods.over(self, source)
  check.object(self, Guard, "guard", "over")
  return over.each(source, function(report) return self:check(report) and report or nil end)
end

--- How many passed, and how many were held back by each reason.
function methods.stats(self)
  check.object(self, Guard, "guard", "stats")
  return reading.copy(self.counts)
end

--- Makes a guard; wrong options raise a ConfigError.
return function(options)
  local values = config.read(rows, { "verify" }, options)
  local counts = { passed = 0 }
  for _, reason in ipairs(reasons) do counts[reason] = 0 end
  local numerator, denominator = share(values.deviation)
  return setmetatable({ max_age = values.max_age, market = values.market, deviation = values.deviation,
    numerator = numerator, denominator = denominator, heartbeat = values.heartbeat, verify = values.verify or nil,
    clock = values.clock or core.time, read = reading.of "price", passed = {}, counts = counts }, Guard)
end
