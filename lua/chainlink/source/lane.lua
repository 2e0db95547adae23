-- SPDX-License-Identifier: MIT
-- One connection of a source in Redis, and the feeds that it reads. In a cluster each feed has a lane of its own, as
-- one command may not name keys of several slots.

local core = require "chainlink.core"
local keys = require "chainlink.relay.keys"
local wire = require "chainlink.relay.wire"

local lane = {}
local Lane = {}
Lane.__index = Lane

local WAIT_MS, GROUP_WAIT_MS = "5000", "500" -- that the server waits for news; in a group what is done waits behind it
local CLAIM_MS = 30000 -- what another consumer has had for so long is taken over
local CLAIMED_AT_ONCE = "16"

--- engine: has log, options and what is done with answers (lua/chainlink/source/redis.lua).
function lane.new(engine, feeds, place)
  local self = setmetatable({ engine = engine, feeds = feeds, is_ready = false, claim_at = 0, cursors = {} }, Lane)
  self.wire = wire.new(engine.poller, engine.access, place, self)
  return self
end

function Lane:on_down(_, words, was_up)
  self.is_ready, self.is_asking = false, false
  self.engine:on_down(self, words, was_up)
end

function Lane:on_refused(_, words) self.engine:refuse(self, words) end

-- A question, whose answer goes to done(value) unless it is an error or never came.
local function ask(self, command, done)
  self.wire:call(command, function(value)
    if value == nil or self.is_gone then return end
    if type(value) == "table" and value.error then return self.engine:trouble(self, value.error) end
    done(value)
  end)
end

-- ---- setting up ----

local function add_group(self, feed, done)
  local engine = self.engine
  local command = { "XGROUP", "CREATE", keys.stream(feed), engine.group, engine:begins(feed), "MKSTREAM" }
  self.wire:call(command, function(value)
    if value == nil or self.is_gone then return end
    local words = type(value) == "table" and value.error
    if words and not words:find "^BUSYGROUP" then return engine:trouble(self, words) end
    done()
  end)
end

local function find_newest(self, feed, done)
  ask(self, { "XREVRANGE", keys.stream(feed), "+", "-", "COUNT", "1" }, function(entries)
    local entry = entries[1]
    self.engine:begin_behind(feed, entry and entry[1] or "0-0")
    done()
  end)
end

--- The connection is up: finds where to begin.
function Lane:on_up()
  self.engine:on_up(self)
  self.backlog = self.engine.group and {} or nil
  local left = 1
  local function done()
    left = left - 1
    if left == 0 then self.is_ready = true end
  end
  for _, feed in ipairs(self.feeds) do
    if self.engine.group then
      left, self.backlog[feed] = left + 1, "0-0"
      add_group(self, feed, done)
    elseif not self.engine.positions[feed] then
      left = left + 1
      find_newest(self, feed, done)
    end
  end
  done()
end

-- ---- reading ----

local function with_streams(command, feeds, id_of)
  command[#command + 1] = "STREAMS"
  for _, feed in ipairs(feeds) do command[#command + 1] = keys.stream(feed) end
  for _, feed in ipairs(feeds) do command[#command + 1] = id_of(feed) end
  return command
end

-- What streams answered: each entry to the engine; each feed's last id to `last` where that is given.
local function take(self, streams, last)
  for _, stream in ipairs(streams or {}) do
    local feed = tostring(stream[1]):match "{(.-)}"
    local entries = stream[2]
    for _, entry in ipairs(entries) do self.engine:take(feed, entry[1], entry[2]) end
    if last then last[feed] = entries[1] and entries[#entries][1] or nil end
  end
end

-- What this consumer was given before, and never said that it is done with.
local function ask_backlog(self, feeds)
  local engine = self.engine
  local command = with_streams({ "XREADGROUP", "GROUP", engine.group, engine.consumer, "COUNT", engine.count }, feeds,
    function(feed) return self.backlog[feed] end)
  ask(self, command, function(streams)
    self.is_asking = false
    take(self, streams, self.backlog)
  end)
end

local function claim(self)
  local engine, now = self.engine, core.monotonic()
  if now < self.claim_at then return end
  self.claim_at = now + CLAIM_MS / 2000
  for _, feed in ipairs(self.feeds) do
    local command = { "XAUTOCLAIM", keys.stream(feed), engine.group, engine.consumer, tostring(CLAIM_MS),
      self.cursors[feed] or "0-0", "COUNT", CLAIMED_AT_ONCE }
    ask(self, command, function(answer)
      self.cursors[feed] = answer[1]
      for _, entry in ipairs(answer[2]) do engine:take(feed, entry[1], entry[2]) end
      for _, id in ipairs(answer[3] or {}) do engine:miss(feed, id) end
    end)
  end
end

--- Tells the server what is done.
function Lane:send_acks()
  if not self.wire:is_up() then return end
  for _, feed in ipairs(self.feeds) do
    local ids = self.engine:take_acks(feed)
    if ids then
      local command = { "XACK", keys.stream(feed), self.engine.group }
      for _, id in ipairs(ids) do command[#command + 1] = id end
      self.wire:call(command, function(value) self.engine:acked(feed, ids, value ~= nil) end)
    end
  end
end

--- Asks for more unless it has done so.
function Lane:want()
  if not self.is_ready or self.is_asking then return end
  local engine = self.engine
  self.is_asking = true
  if engine.group then
    self:send_acks()
    claim(self)
    local feeds = {}
    for feed in pairs(self.backlog) do feeds[#feeds + 1] = feed end
    if feeds[1] then return ask_backlog(self, feeds) end
  end
  local command = { "XREAD", "COUNT", engine.count, "BLOCK", WAIT_MS }
  if engine.group then
    command = { "XREADGROUP", "GROUP", engine.group, engine.consumer, "COUNT", engine.count, "BLOCK", GROUP_WAIT_MS }
  end
  with_streams(command, self.feeds, function(feed) return engine.group and ">" or engine.positions[feed] end)
  ask(self, command, function(streams)
    self.is_asking = false
    take(self, streams)
  end)
end

--- Of no use any more.
function Lane:close()
  self.is_gone = true
  self.wire:close()
end

return lane
