-- SPDX-License-Identifier: MIT
-- What `top` knows of its feeds. Pure: the clocks' times are given, `now` in seconds of the steady clock, `wall` in
-- Unix seconds.

local board = {}
local Board = {}
Board.__index = Board

local RATE_SECONDS = 10 -- a rate is of so many whole seconds

local function new_feed(id, name) return { id = id, name = name, gaps = 0, lost = 0, reports = 0, slots = {} } end

--- ids: the feeds, of which each is there once; names: by id, as far as they are known.
function board.new(ids, names, now)
  local self = setmetatable({ feeds = {}, by_id = {}, since = now }, Board)
  for _, id in ipairs(ids) do
    if not self.by_id[id] then
      local feed = new_feed(id, names[id] or id)
      self.by_id[id] = feed
      self.feeds[#self.feeds + 1] = feed
    end
  end
  return self
end

local function forget(slots, before)
  for second in pairs(slots) do
    if second < before then slots[second] = nil end
  end
end

local function direction_of(before, price)
  if not before or not price then return nil end
  return price > before and "up" or price < before and "down" or nil
end

-- Milliseconds from the observation to the arrival; nil for one that came later on purpose.
local function latency_of(report, observed)
  if report.backfilled or not report.received_at or not observed then return nil end
  return report.received_at * 1000 - observed
end

--- A report that was read.
function Board:report(report, now)
  local feed = self.by_id[report.feed_id]
  if not feed then return end
  local observed = report.observations_timestamp_ms
  feed.direction = direction_of(feed.price, report.price)
  feed.price, feed.observed = report.price, observed and observed / 1000
  feed.bid = report.bid or report.best_bid or report.bid_price
  feed.ask = report.ask or report.best_ask or report.ask_price
  feed.latency = latency_of(report, observed) or feed.latency
  feed.reports = feed.reports + 1
  local second = math.floor(now)
  if not feed.slots[second] then forget(feed.slots, second - RATE_SECONDS) end
  feed.slots[second] = (feed.slots[second] or 0) + 1
end

local troubles = { disconnected = true, reconnecting = true, failed = true, lost = true, unverified = true }

--- An event of on_status.
function Board:event(event)
  local feed = event.feed_id and self.by_id[event.feed_id]
  if feed and event.state == "gap" then feed.gaps = feed.gaps + 1 end
  if feed and event.state == "lost" then feed.lost = feed.lost + 1 end
  if not troubles[event.state] then return end
  local where = feed and feed.name or event.host
  self.trouble = { at = event.time,
    words = event.state .. (where and " " .. where or "") .. (event.reason and ": " .. event.reason or "") }
end

-- Reports a second over the whole seconds that have passed, ten at most; nil in the first one.
local function rate_of(feed, since, now)
  local second = math.floor(now)
  local seconds = math.min(RATE_SECONDS, second - math.ceil(since))
  if seconds < 1 then return nil end
  local sum = 0
  for i = 1, seconds do sum = sum + (feed.slots[second - i] or 0) end
  return sum / seconds
end

--- For chainlink.cli.layout; stats: of the stream.
function Board:state(stats, now, wall)
  local feeds, rate = {}, nil
  for i, feed in ipairs(self.feeds) do
    local of_feed = rate_of(feed, self.since, now)
    rate = of_feed and (rate or 0) + of_feed
    feeds[i] = { name = feed.name, id = feed.id, price = feed.price, direction = feed.direction, bid = feed.bid,
      ask = feed.ask, observed = feed.observed, age = feed.observed and wall - feed.observed, rate = of_feed,
      latency = feed.latency, gaps = feed.gaps, lost = feed.lost, reports = feed.reports }
  end
  return { feeds = feeds, stats = stats, rate = rate, wall = wall, uptime = now - self.since, trouble = self.trouble }
end

return board
