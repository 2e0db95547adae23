-- SPDX-License-Identifier: MIT
-- What the live page is told: each report, the state of things when it changes, and what was lost.

local cjson = require "cjson"
local core = require "chainlink.core"
local text = require "chainlink.text"

local live = {}
local Live = {}
Live.__index = Live

local STATE_SECONDS = 1
local encode = cjson.encode

function live.new(events, monitor)
  return setmetatable({ events = events, monitor = monitor, feeds = {}, by_id = {}, due = 0 }, Live)
end

-- lua-cjson would make an object of an empty table.
local function array(list)
  local parts = {}
  for i, item in ipairs(list) do parts[i] = encode(item) end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- A feed to show; problem: why it cannot be, in words.
function Live:add(id, name, problem)
  local feed = { feed_id = id or name, name = text.plain(name), problem = problem and text.plain(problem) or nil }
  self.feeds[#self.feeds + 1], self.by_id[feed.feed_id] = feed, feed
end

function Live:report(report)
  local id = report.feed_id
  self.events:tell("report", id, encode {
    feed_id = id,
    name = self.by_id[id].name,
    schema = "v" .. report.version,
    observed = report.observations_timestamp_ms,
    price = report.price,
    bid = report.bid or report.best_bid or report.bid_price,
    ask = report.ask or report.best_ask or report.ask_price,
    market = report:market_status_name(),
    verified = self.verifies or nil,
  }, true)
end

--- An event of on_status.
function Live:note(event)
  self.monitor:note(event)
  if event.state ~= "lost" then return end
  local feed = self.by_id[event.feed_id]
  self.events:tell("lost", "lost", encode { feed_id = event.feed_id, name = feed and feed.name, from = event.from,
    to = event.to, reason = text.plain(event.reason or "reports were lost") }, true)
end

--- What keeps the whole from working, until there is a stream.
function Live:fail(words)
  self.monitor.why = words
  self.due = 0
end

local function figures(self)
  local stream = self.monitor.stream
  local stats = stream and stream:stats()
  if not stats then return {} end
  local list = {
    { "connections", ("%d of %d"):format(stats.active_connections, stats.configured_connections) },
    { "reports", ("%.0f"):format(stats.accepted) },
    { "gaps filled", ("%.0f of %.0f"):format(stats.gaps - stats.lost, stats.gaps) },
    { "lost", ("%.0f"):format(stats.lost) },
    { "latency", stats.latency.mean and ("%.0f ms"):format(stats.latency.mean) or "–" },
  }
  if self.verifies then list[#list + 1] = { "not verified", ("%.0f"):format(stats.unverified) } end
  return list
end

-- The state without its time, which changes always.
local function state_of(self)
  local status, reasons = self.monitor:judge()
  for i, reason in ipairs(reasons) do reasons[i] = text.plain(reason) end
  return ('"status":"%s","reasons":%s,"feeds":%s,"figures":%s'):format(status, array(reasons), array(self.feeds),
    array(figures(self)))
end

--- To be called often: tells the state if a second has passed and it has changed.
function Live:tick()
  local now = core.monotonic()
  if now < self.due then return end
  self.due = now + STATE_SECONDS
  local state = state_of(self)
  if state ~= self.state then
    self.events:tell("state", "state", ('{"now":%.0f,%s}'):format(core.time() * 1000, state), false)
  end
  self.state = state
  self.events:keep_alive()
end

return live
