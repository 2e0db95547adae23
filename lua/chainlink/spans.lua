-- SPDX-License-Identifier: MIT
-- Which milliseconds are covered: a set of spans that do not touch, both ends included. And texts that name a span.

local config = require "chainlink.config"
local sorted = require "chainlink.sorted"

local spans = {}

local LONGEST = 366 * 86400
local units = { s = 1, m = 60, h = 3600, d = 86400 }

--- What a text of a span must be, for errors.
spans.expected = 'a span like "5s", "1m", "4h" or "1d", or whole seconds, of at most 366 days'

--- The seconds of "5s", "1m", "4h", "1d" or a number; nil for anything else.
function spans.seconds(value)
  local number, unit
  if type(value) == "string" then number, unit = value:match "^(%d%d?%d?%d?%d?%d?%d?%d?)([smhd])$" end
  local seconds = number and tonumber(number) * units[unit] or value
  if config.whole_between(1, LONGEST)(seconds) then return math.floor(seconds) end
  return nil
end

local methods = {}
local Spans = { __index = methods }

--- A set of at most so many spans: beyond them the oldest are forgotten.
function spans.new(limit)
  return setmetatable({ list = sorted.new(), limit = limit }, Spans)
end

--- Adds from, …, to; calls fresh(from, to) for each part of it that was not covered before.
function methods.add(self, from, to, fresh)
  local list = self.list
  local first = list:place(from - 1) -- the first that reaches, or touches, what is added
  local at, behind = from, first
  local low, high = from, to
  while behind <= list.last and list[behind].from <= to + 1 do
    local span = list[behind]
    if at < span.from then fresh(at, span.from - 1) end
    low, high = math.min(low, span.from), math.max(high, span.key)
    at, behind = math.max(at, span.key + 1), behind + 1
  end
  if at <= to then fresh(at, to) end
  if behind == first then
    list:insert(first, { from = low, key = high })
    if list:count() > self.limit then list:drop_first() end
    return
  end
  list[first].from, list[first].key = low, high
  list:remove(first + 1, behind - 1)
end

--- How many of from, …, to are covered.
function methods.covered(self, from, to)
  local list, sum = self.list, 0
  for i = list:place(from), list.last do
    local span = list[i]
    if span.from > to then break end
    sum = sum + math.min(to, span.key) - math.max(from, span.from) + 1
  end
  return sum
end

--- Forgets what lies wholly before.
function methods.forget(self, before)
  local list = self.list
  while list.first <= list.last and list[list.first].key < before do list:drop_first() end
end

return spans
