-- SPDX-License-Identifier: MIT
-- What a relay has put into Redis, as a stream (docs/relay.md).

local address = require "chainlink.relay.address"
local check = require "chainlink.check"
local config = require "chainlink.config"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local keys = require "chainlink.relay.keys"
local lanes = require "chainlink.source.lane"
local reader = require "chainlink.source.reader"
local redirect = require "chainlink.relay.redirect"
local redis = require "chainlink.redis"
local wire = require "chainlink.relay.wire"

local MOST_AT_ONCE = 1000 -- reports that are asked for together, over all feeds
local RETRY_SECONDS = 0.3
local MOVES_AFTER = 2 -- attempts in vain until another of the servers is asked

local function is_name(value) return type(value) == "string" and value ~= "" and #value <= 256 end

local function is_beginning(value)
  return value == "new" or value == "all" or config.whole_between(0, 2 ^ 32 - 1)(value)
end

local rows = {
  { "url", nil, function(value) return type(value) == "string" end, "a URL, redis://... or unix:PATH", secret = true },
  { "feeds", nil, function(value) return type(value) == "table" end, "an array of feed ids" },
  { "group", nil, is_name, "a text" },
  { "consumer", nil, is_name, "a text, which no other consumer of the group has" },
  { "tls", nil, function(value) return type(value) == "table" end, "a table" },
  { "from", "new", is_beginning, '"new", "all" or a time in seconds since 1970' },
}
local shared = { "verify", "logger", "log_level", "on_status", "loop" }

local Engine = {}
Engine.__index = Engine

-- ---- connections ----

local function add_lane(self, feeds, place)
  local one = lanes.new(self, feeds, place)
  self.lanes[#self.lanes + 1] = one
  for _, feed in ipairs(feeds) do self.lane_of[feed] = one end
end

-- The server is one of a cluster.
local function split(self, whole)
  for i, one in ipairs(self.lanes) do
    if one == whole then table.remove(self.lanes, i) break end
  end
  whole:close()
  for _, feed in ipairs(whole.feeds) do add_lane(self, { feed }, whole.wire.place) end
end

function Engine:on_up(one)
  self.state:status("connected", one.wire:text())
end

function Engine:on_down(one, words, was_up)
  self.failures, one.has_failed = self.failures + 1, true
  if was_up then self.ends = self.ends + 1 end
  if was_up or self.told ~= words then
    self.state:status(was_up and "disconnected" or "reconnecting", one.wire:text(), words)
  end
  self.told = words
  if one.wire.attempts < MOVES_AFTER then return end
  self.at = self.at % #self.access.places + 1
  one.wire.place = self.access.places[self.at]
end

function Engine:refuse(one, words)
  self.state:fail(wire.refusal(one.wire, words))
end

--- An answer that is an error.
function Engine:trouble(one, words)
  one.is_asking = false
  local place = redirect.read(words, one.wire.place)
  if (place or words:find "^CROSSSLOT") and #one.feeds > 1 then return split(self, one) end
  if place then
    one.is_ready = false
    one.wire:close()
    one.wire.place = place
    -- told to go where it came from, it waits a little
    if one.has_failed then one.wire.retry_at = core.monotonic() + RETRY_SECONDS end
  elseif words:find "^NOGROUP" then
    one.is_ready = false
    one:on_up()
  elseif wire.is_refusal(words) then
    self:refuse(one, words)
  else
    one.wire:fail(words)
  end
end

-- ---- where it is ----

local function id_before(seconds)
  return seconds == 0 and "0-0" or ("%.0f-18446744073709551615"):format(seconds * 1000 - 1)
end

--- Where a feed's group is to begin, if there is none.
function Engine:begins(feed)
  return self.positions[feed] or "$"
end

--- A feed's newest entry, behind which to begin.
function Engine:begin_behind(feed, id)
  self.positions[feed], self.follows[feed] = id, true
end

-- Entries that were there between the last one and this: trimmed, or deleted.
local function look_for_hole(self, feed, id, after)
  local position = self.positions[feed]
  if not self.follows[feed] or after == position or not keys.parse(after) then return end
  local from, to = keys.parse(position), keys.parse(after)
  if keys.is_before(position, after) then
    return self.state:range("lost", feed, math.min(from + 1, to), to, "gone from Redis before it was read")
  end
  self.state:range("lost", feed, from + 1, (keys.parse(id)) - 1, "Redis began anew")
end

local function tell_lost(self, feed, text)
  local from, to = tostring(text):match "^(%d+) (%d+)$"
  if from then self.state:range("lost", feed, tonumber(from), tonumber(to), "lost on its way to Redis") end
end

local function flag(self, feed, id)
  self.held[feed] = self.held[feed] or {}
  self.held[feed][id] = true
end

--- An entry of a feed's stream, as the server answers it.
function Engine:take(feed, id, fields)
  local ms = keys.parse(id)
  if not ms or not self.lane_of[feed] then return end
  if self.group then
    if self.held[feed] and self.held[feed][id] then return end
    flag(self, feed, id)
    if not fields then return self:miss(feed, id) end
  elseif not keys.is_before(self.positions[feed], id) then return end
  local told = keys.pairs(fields) or {}
  if not self.group then look_for_hole(self, feed, id, told.after) end
  if not self.group or keys.is_before(self.positions[feed] or "0-0", id) then self.positions[feed] = id end
  self.follows[feed], self.lane_of[feed].has_failed = true, false
  tell_lost(self, feed, told.lost)
  local report = self.state:restore(feed, tostring(told.report), { ms = ms, backfilled = told.backfilled == "1",
    received_at = tonumber(told.received_at) or 0, origin = tostring(told.origin or "") })
  if report then self.state:give(report, id) elseif self.group then self:done(feed, id) end
end

--- In a group: an entry that was trimmed before anybody was done with it.
function Engine:miss(feed, id)
  local ms = keys.parse(id)
  if ms then self.state:range("lost", feed, ms, ms, "gone from Redis before it was done with") end
  self:done(feed, id)
end

-- ---- what is done, in a group ----

function Engine:done(feed, id)
  if not self.group then return end
  self.acks[feed] = self.acks[feed] or {}
  table.insert(self.acks[feed], id)
end

--- Those to be told, which are under way from now on; nil: none.
function Engine:take_acks(feed)
  local ids = self.acks[feed]
  self.acks[feed] = nil
  if ids then self.under_way = self.under_way + 1 end
  return ids
end

function Engine:acked(feed, ids, is_known)
  self.under_way = self.under_way - 1
  local held = self.held[feed] or {}
  for _, id in ipairs(ids) do
    if is_known then held[id] = nil else self:done(feed, id) end
  end
end

--- Is all that is done known to the server? Tells it.
function Engine:finish()
  if not self.group then return true end
  for _, one in ipairs(self.lanes) do one:send_acks() end
  return self.under_way == 0 and next(self.acks) == nil
end

-- ---- what the reader asks of it ----

function Engine:fd() return redis.poller_fd(self.poller) end

function Engine:step()
  local ready, now = redis.poller_ready(self.poller), core.monotonic()
  local list = {}
  for i, one in ipairs(self.lanes) do list[i] = one end -- a step may split one
  for _, one in ipairs(list) do
    if not one.is_gone and one.wire:has_work(ready, now) then one.wire:step() end
  end
end

function Engine:arm()
  local due
  if self.state:has_more() then due = 0 end
  for _, one in ipairs(due and {} or self.lanes) do
    local at = (one.wire.has_unsent or one.is_ready and not one.is_asking) and 0 or one.wire:due()
    if at and (not due or at < due) then due = at end
  end
  if due == self.armed then return end
  self.armed = due
  redis.poller_arm(self.poller, due and math.max(0, due - core.monotonic()))
end

function Engine:want()
  local list = {}
  for i, one in ipairs(self.lanes) do list[i] = one end
  for _, one in ipairs(list) do
    if not one.is_gone then one:want() end
  end
end

function Engine:is_ready()
  for _, one in ipairs(self.lanes) do
    if not one.is_ready then return false end
  end
  return true
end

function Engine:counts(stats)
  stats.configured_connections, stats.active_connections = #self.lanes, 0
  for _, one in ipairs(self.lanes) do
    if one.wire:is_up() then stats.active_connections = stats.active_connections + 1 end
  end
  stats.errors_count, stats.reconnect_count = self.failures, self.ends
end

function Engine:close()
  for _, one in ipairs(self.lanes) do one:close() end
end

local function open(state, values, feeds, access)
  local done, err = address.secure(access, values.tls, redis.security)
  if not done then return nil, err end
  local poller, why = redis.poller()
  if not poller then return nil, errors.new("MemoryError", why) end
  local self = setmetatable({ state = state, access = access, poller = poller, group = values.group,
    consumer = values.consumer, lanes = {}, lane_of = {}, positions = {}, follows = {}, held = {}, acks = {},
    under_way = 0, at = 1, failures = 0, ends = 0,
    count = ("%d"):format(math.max(1, math.floor(MOST_AT_ONCE / #feeds))) }, Engine)
  if values.from ~= "new" then
    for _, feed in ipairs(feeds) do self.positions[feed] = id_before(values.from == "all" and 0 or values.from) end
  end
  add_lane(self, feeds, access.places[1])
  return self
end

--- Checks everything and answers at once; connecting goes on behind. -> source | nil, err
return function(options)
  local values = config.read(rows, shared, options)
  if not values.url or not values.feeds then errors.raise("ConfigError", "the options url and feeds are required") end
  if (values.group == nil) ~= (values.consumer == nil) then
    errors.raise("ConfigError", "the options group and consumer go together")
  end
  local feeds = check.feed_ids(values.feeds)
  local access = address.parse(values.url, "url")
  return reader.new(values, feeds, address.text(access.places[1]), function(state)
    return open(state, values, feeds, access)
  end)
end
