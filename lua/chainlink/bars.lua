-- SPDX-License-Identifier: MIT
-- Bars: open, high, low and close of each feed in spans of time, exact. docs/bars.md says what a bar is.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local over = require "chainlink.over"
local reading = require "chainlink.reading"
local seen = require "chainlink.seen"
local spans = require "chainlink.spans"

local MAX_WAITING = 4096 -- bars that nobody took

local rows = {
  { "interval", nil, function(value) return spans.seconds(value) ~= nil end, spans.expected,
    read = spans.seconds, required = true },
  { "field", "price", function(value) return type(value) == "string" end, "the name of a field" },
  { "repair", 900, config.whole_between(0, 366 * 86400), "a whole number of seconds, at most 366 days" },
  { "remember", 65536, config.whole_between(2, 2 ^ 24), "a whole number from 2 to 16777216" },
  { "gaps", false, config.is_boolean, "true or false" },
}

local compare = core.exact_compare
local floor, max, min = math.floor, math.max, math.min

local methods = {}
local Bars = { __index = methods }

-- ---- one bar ----

local function new_bar(raw, observed)
  return { count = 1, first = observed, last = observed, open = raw, high = raw, low = raw, close = raw }
end

-- The first of equal times opens, the last of them closes.
local function count(bar, raw, observed)
  bar.count = bar.count + 1
  if observed < bar.first then bar.first, bar.open = observed, raw end
  if observed >= bar.last then bar.last, bar.close = observed, raw end
  if compare(raw, bar.high) > 0 then bar.high = raw
  elseif compare(raw, bar.low) < 0 then bar.low = raw end
end

-- ---- one feed ----

local function new_feed(self, id, decimals)
  local feed = { id = id, decimals = decimals, bars = {}, queued = {}, kept_from = -math.huge,
    spans = spans.new(self.remember), seen = seen.new(self.remember, self.repair_ms + self.interval_ms) }
  self.feeds[id] = feed
  self.order[#self.order + 1] = feed
  return feed
end

local function slot_of(self, ms) return floor(ms / self.interval_ms) end

-- The oldest slot that may still change; a feed without reports has none.
local function oldest_slot(self, feed)
  return feed.newest and floor((feed.newest - self.repair_ms) / self.interval_ms) or -math.huge
end

-- What was sent, and cannot change any more.
local function forget(self, feed)
  local oldest = oldest_slot(self, feed)
  if oldest <= feed.kept_from then return end
  if oldest - feed.kept_from < 64 then
    for slot = feed.kept_from, oldest - 1 do feed.bars[slot] = nil end
  else
    for slot in pairs(feed.bars) do
      if slot < oldest then feed.bars[slot] = nil end
    end
  end
  feed.kept_from = oldest
  feed.spans:forget(oldest * self.interval_ms)
end

-- ---- what waits to be taken ----

local function enqueue(self, feed, from, to, is_revised)
  self.last = self.last + 1
  self[self.last] = { feed = feed, from = from, to = to, is_revised = is_revised }
end

-- A bar that waits already will be what it is when it is taken.
local function send(self, feed, slot, is_revised)
  local bar = feed.bars[slot]
  if bar then bar.sent = true end
  if feed.queued[slot] then return end
  feed.queued[slot] = true
  enqueue(self, feed, slot, slot, is_revised)
end

-- Was this bar sent, or told as empty?
local function was_sent(self, feed, slot)
  local bar = feed.bars[slot]
  if bar then return bar.sent == true end
  return self.gaps and slot > feed.first_slot and slot < feed.newest_slot
end

local function is_waiting(self) return self.first <= self.last end

-- ---- a report ----

-- Its validity, as far back as bars may change. Those that were sent, and of which more is covered now, are sent again.
local function cover(self, feed, from, to, own)
  local oldest = oldest_slot(self, feed)
  from = max(from, oldest * self.interval_ms)
  feed.spans:add(from, to, function(low, high)
    if not feed.newest then return end
    for slot = max(slot_of(self, low), oldest, feed.first_slot), min(slot_of(self, high), feed.newest_slot) do
      if slot ~= own and was_sent(self, feed, slot) then send(self, feed, slot, true) end
    end
  end)
end

-- The feed's time has come to a later bar: what lies before is whole.
local function advance(self, feed, slot)
  local before = feed.newest_slot
  if not before then return end
  send(self, feed, before, feed.bars[before].sent)
  if self.gaps and slot - before > 1 then enqueue(self, feed, before + 1, slot - 1, false) end
end

local function fill_before(self, feed, slot)
  if self.gaps and feed.first_slot - slot > 1 then enqueue(self, feed, slot + 1, feed.first_slot - 1, false) end
  feed.first_slot = slot
end

local function add(self, feed, raw, observed)
  local slot = slot_of(self, observed)
  local sent = feed.newest and was_sent(self, feed, slot)
  local bar = feed.bars[slot]
  if bar then count(bar, raw, observed) else feed.bars[slot] = new_bar(raw, observed) end
  if not feed.newest then feed.newest, feed.newest_slot, feed.first_slot = observed, slot, slot
  elseif slot > feed.newest_slot then
    advance(self, feed, slot)
    feed.newest_slot = slot
  elseif slot < feed.newest_slot or sent then
    send(self, feed, slot, sent)
    if slot < feed.first_slot then fill_before(self, feed, slot) end
  end
  feed.newest = max(feed.newest, observed)
end

--- Counts a report. -> true | false, "late" or "repeated": not counted | nil, DecodeError: it has no such field
function methods.push(self, report)
  check.object(self, Bars, "bars", "push")
  reading.check(report, "push")
  if self.last - self.first >= MAX_WAITING then
    errors.raise("ConfigError", ("push: %d bars wait; take() them after each push"):format(MAX_WAITING))
  end
  local stats = self.counts
  local raw, decimals, observed, from, to = self.read(report)
  if not raw then
    stats.unreadable = stats.unreadable + 1
    return nil, decimals
  end
  local id = report.feed_id
  local feed = self.feeds[id] or new_feed(self, id, decimals)
  if not is_waiting(self) then forget(self, feed) end
  if slot_of(self, observed) < oldest_slot(self, feed) or feed.seen:is_forgotten(observed) then
    stats.late = stats.late + 1
    return false, "late"
  end
  if not feed.seen:add(observed, core.report_tag(report), feed.newest) then
    stats.repeated = stats.repeated + 1
    return false, "repeated"
  end
  stats.reports = stats.reports + 1
  cover(self, feed, from, to, slot_of(self, observed))
  add(self, feed, raw, observed)
  return true
end

-- ---- what comes out ----

-- The bar as the program has it; without reports where there is none.
local function snapshot(self, feed, slot, is_revised)
  local bar, start, interval = feed.bars[slot] or { count = 0 }, slot * self.interval_ms, self.interval_ms
  local covered = feed.spans:covered(start, start + interval - 1)
  local out = { feed_id = feed.id, time = floor(start / 1000), interval = self.interval, count = bar.count,
    first_ms = bar.first, last_ms = bar.last, covered_ms = covered, coverage = covered / interval,
    complete = feed.newest >= start + interval, revised = is_revised == true }
  if bar.count == 0 then return out end
  for _, name in ipairs { "open", "high", "low", "close" } do out[name] = reading.scaled(bar[name], feed.decimals) end
  return out
end

--- The next bar that is ready, nil when there is none.
function methods.take(self)
  check.object(self, Bars, "bars", "take")
  local entry = self[self.first]
  if not entry then return nil end
  local feed, slot = entry.feed, entry.from
  if slot == entry.to then
    self[self.first] = nil
    self.first = self.first + 1
    feed.queued[slot] = nil
  else entry.from = slot + 1 end
  self.counts.bars = self.counts.bars + 1
  if entry.is_revised then self.counts.revised = self.counts.revised + 1 end
  return snapshot(self, feed, slot, entry.is_revised)
end

--- The bar in progress of a feed, not taken; nil when it has had no report.
function methods.current(self, feed_id)
  check.object(self, Bars, "bars", "current")
  local feed = self.feeds[check.feed_id(feed_id, "feed_id")]
  return feed and snapshot(self, feed, feed.newest_slot, feed.bars[feed.newest_slot].sent)
end

--- Makes ready the bars in progress; with `before`, Unix seconds, those that end by then.
function methods.flush(self, before)
  check.object(self, Bars, "bars", "flush")
  check.seconds(before, "before")
  for _, feed in ipairs(self.order) do
    local slot = feed.newest_slot
    local is_due = not before or (slot + 1) * self.interval <= before
    if is_due and not feed.bars[slot].sent then send(self, feed, slot, false) end
  end
end

--- A source of bars over a source of reports.
function methods.over(self, source)
  check.object(self, Bars, "bars", "over")
  return over.new(source, function(report) self:push(report) end, function() return self:take() end,
    function() self:flush() end)
end

--- What was counted, and what was not.
function methods.stats(self)
  check.object(self, Bars, "bars", "stats")
  return reading.copy(self.counts)
end

--- Makes bars; wrong options raise a ConfigError.
return function(options)
  local values = config.read(rows, {}, options)
  return setmetatable({ interval = values.interval, interval_ms = values.interval * 1000,
    repair_ms = values.repair * 1000, remember = values.remember, gaps = values.gaps, read = reading.of(values.field),
    feeds = {}, order = {}, first = 1, last = 0,
    counts = { reports = 0, repeated = 0, late = 0, unreadable = 0, bars = 0, revised = 0 } }, Bars)
end
