-- SPDX-License-Identifier: MIT
-- Time-weighted averages over the window that ends with a feed's newest report: price times validity, in integers.
-- docs/bars.md says how.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local over = require "chainlink.over"
local reading = require "chainlink.reading"
local sorted = require "chainlink.sorted"
local spans = require "chainlink.spans"

local rows = {
  { "window", nil, function(value) return spans.seconds(value) ~= nil end, spans.expected, read = spans.seconds,
    required = true },
  { "field", "price", function(value) return type(value) == "string" end, "the name of a field" },
  { "remember", 131072, config.whole_between(2, 2 ^ 24), "a whole number from 2 to 16777216" },
}

local add, max = core.exact_add, math.max

local methods = {}
local Twap = { __index = methods }

-- ---- a feed's reports: {key = observations' time, tag=, raw=, from=, to=}; each has from … to for itself ----

local function length(item) return max(0, item.to - item.from + 1) end

local function weigh(feed, item, sign)
  local ms = length(item)
  if ms > 0 then feed.sum, feed.covered = add(feed.sum, item.raw, sign * ms), feed.covered + sign * ms end
end

-- Where a report of that time belongs, behind those of the same time; nil when it is one of them.
local function place_for(list, observed, tag)
  local place = list:place(observed)
  while place <= list.last and list[place].key == observed do
    if list[place].tag == tag then return nil end
    place = place + 1
  end
  return place
end

-- The one behind begins later now.
local function push_back(feed, item, to)
  weigh(feed, item, -1)
  item.from = max(item.from, to + 1)
  weigh(feed, item, 1)
end

local function drop_first(feed)
  weigh(feed, feed.list[feed.list.first], -1)
  feed.list:drop_first()
end

local function window_start(self, feed) return feed.to - self.window_ms + 1 end

local function new_feed(self, id, decimals)
  local feed = { id = id, decimals = decimals, list = sorted.new(), sum = "0", covered = 0 }
  self.feeds[id] = feed
  return feed
end

local function insert(self, feed, place, item)
  local list = feed.list
  if place > list.first then item.from = max(item.from, list[place - 1].to + 1) end
  if place <= list.last then push_back(feed, list[place], item.to) end
  list:insert(place, item)
  weigh(feed, item, 1)
  feed.to = max(feed.to or item.to, item.to)
  local start = window_start(self, feed)
  while list[list.first].to < start or list:count() > self.remember do drop_first(feed) end
end

--- Counts a report. -> true | false, "late" or "repeated": not counted | nil, DecodeError: it has no such field
function methods.push(self, report)
  check.object(self, Twap, "twap", "push")
  reading.check(report, "push")
  local counts = self.counts
  local raw, decimals, observed, from, to = self.read(report)
  if not raw then
    counts.unreadable = counts.unreadable + 1
    return nil, decimals
  end
  local id, tag = report.feed_id, core.report_tag(report)
  local feed = self.feeds[id] or new_feed(self, id, decimals)
  local start = feed.to and window_start(self, feed) or from
  if to < start then
    counts.late = counts.late + 1
    return false, "late"
  end
  local place = place_for(feed.list, observed, tag)
  if not place then
    counts.repeated = counts.repeated + 1
    return false, "repeated"
  end
  counts.reports = counts.reports + 1
  insert(self, feed, place, { key = observed, tag = tag, raw = raw, from = max(from, start), to = to })
  return true
end

-- Of the window's first report a part may lie before it.
local function within(self, feed)
  local start, first = window_start(self, feed), feed.list[feed.list.first]
  local before = max(0, start - first.from)
  if before == 0 then return start, feed.sum, feed.covered end
  return start, add(feed.sum, first.raw, -before), feed.covered - before
end

--- The average of a feed over the window that ends with its newest report; nil when it has had none.
function methods.value(self, feed_id)
  check.object(self, Twap, "twap", "value")
  local feed = self.feeds[check.feed_id(feed_id, "feed_id")]
  if not feed then return nil end
  local start, sum, covered = within(self, feed)
  if covered == 0 then return nil end
  local raw = core.exact_divide(sum, covered)
  return { feed_id = feed.id, average = reading.scaled(raw, feed.decimals), raw = raw, sum = sum,
    covered_ms = covered, coverage = covered / self.window_ms, from_ms = start, to_ms = feed.to, window = self.window,
    count = feed.list:count() }
end

--- A source of averages, one after each report that counts, over a source of reports.
function methods.over(self, source)
  check.object(self, Twap, "twap", "over")
  return over.each(source, function(report) return self:push(report) and self:value(report.feed_id) or nil end)
end

--- What was counted, and what was not.
function methods.stats(self)
  check.object(self, Twap, "twap", "stats")
  return reading.copy(self.counts)
end

--- Makes averages; wrong options raise a ConfigError.
return function(options)
  local values = config.read(rows, {}, options)
  return setmetatable({ window = values.window, window_ms = values.window * 1000, remember = values.remember,
    read = reading.of(values.field), feeds = {},
    counts = { reports = 0, repeated = 0, late = 0, unreadable = 0 } }, Twap)
end
