-- SPDX-License-Identifier: MIT
-- What a relay has put into a topic of Kafka, as a stream (docs/relay.md).

local brokers = require "chainlink.relay.brokers"
local check = require "chainlink.check"
local config = require "chainlink.config"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local kafka = require "chainlink.kafka"
local reader = require "chainlink.source.reader"

local RETRY_SECONDS, ASKING_MS = 0.5, 100 -- for the topic's partitions, which is waited for
local MOST_WAITING = 1000 -- reports that are taken from the library ahead of the script

local rows = {
  { "url", nil, function(value) return type(value) == "string" end, "a URL, kafka://..." },
  { "feeds", nil, function(value) return type(value) == "table" end, "an array of feed ids" },
  { "group", nil, function(value) return type(value) == "string" and value ~= "" end, "a text" },
  { "from", "new", function(value) return value == "new" or value == "all" end, '"new" or "all"' },
  { "settings", nil, brokers.are_settings, "a table of librdkafka's settings, names and texts", secret = true },
}
local shared = { "verify", "logger", "log_level", "on_status", "loop" }

local Engine = {}
Engine.__index = Engine

local function take_failure(self, message)
  local state, words = self.state, "Kafka: " .. message.reason
  if message.failure == "refusal" then state:fail(errors.new("AuthenticationError", words))
  elseif message.failure == "fatal" then state:fail(errors.new("NetworkError", words))
  elseif message.failure == "passing" then
    self.failures = self.failures + 1
    if self.told ~= words then state:status("disconnected", state.host, words) end
    self.told = words
  end
end

local function tell_hole(self, feed, headers)
  local from, to = (headers.lost or ""):match "^(%d+) (%d+)$"
  if from then self.state:range("lost", feed, tonumber(from), tonumber(to), "lost on its way to Kafka") end
  local after, last = tonumber(headers.after), self.last[feed]
  if self.group or not last or not after or after <= last then return end
  self.state:range("lost", feed, last + 1, after, "gone from Kafka before it was read")
end

local function take(self, message)
  local feed, headers = message.key, message.headers
  local mark = { partition = message.partition, offset = message.offset }
  local ms = tonumber(headers.observed_at)
  if not self.wants[feed] or not ms then return self:done(feed, mark) end
  tell_hole(self, feed, headers)
  self.last[feed] = ms
  local report = self.state:restore(feed, message.value, { ms = ms, received_at = tonumber(headers.received_at) or 0,
    backfilled = headers.backfilled == "1", origin = headers.origin or "" })
  if report then self.state:give(report, mark) else self:done(feed, mark) end
end

function Engine:fd() return kafka.fd(self.kafka) end

-- Without a group: all partitions, in the library's own keeping, so that a broker that comes back changes nothing.
local function assign(self)
  local now = core.monotonic()
  if now < self.ask_at then return end
  local partitions, words = kafka.assign(self.kafka, self.topic, self.from == "all" and math.huge or 0, ASKING_MS)
  self.is_assigned, self.ask_at = partitions ~= nil, core.monotonic() + RETRY_SECONDS
  if partitions then return self.state:status("connected", self.state.host) end
  self.failures = self.failures + 1
  if self.told ~= words then self.state:status("disconnected", self.state.host, words) end
  self.told = words
end

function Engine:step()
  if not self.group and not self.is_assigned then assign(self) end
  while not self.state:is_full(MOST_WAITING) do
    local message = kafka.take(self.kafka)
    if not message then return end
    if message.failure then take_failure(self, message) else take(self, message) end
  end
end

function Engine:arm()
  local due
  if self.state:has_more() then due = 0
  elseif not self.group and not self.is_assigned then due = math.max(0, self.ask_at - core.monotonic()) end
  if due == self.armed then return end
  self.armed = due
  kafka.arm(self.kafka, due)
end

function Engine.want() end -- the library asks by itself

function Engine:is_ready()
  if self.group and not self.is_assigned and kafka.is_assigned(self.kafka) then
    self.is_assigned = true
    self.state:status("connected", self.state.host)
  end
  return self.is_assigned
end

function Engine:done(_, mark)
  if self.group then kafka.store(self.kafka, self.topic, mark.partition, mark.offset) end
end

function Engine:finish()
  if not self.group then return true end
  local done, words = kafka.commit_offsets(self.kafka)
  if not done then self.state:log("warn", words) end
  return done
end

function Engine:counts(stats)
  stats.configured_connections, stats.active_connections = 1, self:is_ready() and 1 or 0
  stats.errors_count, stats.reconnect_count = self.failures, 0
end

function Engine:close() kafka.close(self.kafka) end

local function settings_of(values, access)
  return brokers.settings(access, { ["group.id"] = values.group or "chainlink-streams",
    ["enable.auto.commit"] = values.group and "true" or "false",
    ["enable.auto.offset.store"] = "false", ["auto.commit.interval.ms"] = "1000", ["session.timeout.ms"] = "10000",
    ["auto.offset.reset"] = values.from == "new" and "latest" or "earliest", ["isolation.level"] = "read_committed",
    ["fetch.wait.max.ms"] = "100", ["topic.metadata.refresh.interval.ms"] = "5000" }, values.settings)
end

local function open(state, values, feeds, access)
  local wants = {}
  for _, feed in ipairs(feeds) do wants[feed] = true end
  local consumer, why = kafka.open(false, settings_of(values, access))
  if not consumer then return nil, errors.new("ConfigError", why) end
  if values.group then
    local ok, words = kafka.subscribe(consumer, access.topic)
    if not ok then return nil, errors.new("NetworkError", words) end
  end
  return setmetatable({ state = state, kafka = consumer, topic = access.topic, group = values.group, wants = wants,
    from = values.from, last = {}, failures = 0, ask_at = 0, is_assigned = false }, Engine)
end

--- Checks everything and answers at once; connecting goes on behind. -> source | nil, err
return function(options)
  local values = config.read(rows, shared, options)
  if not values.url or not values.feeds then errors.raise("ConfigError", "the options url and feeds are required") end
  local feeds = check.feed_ids(values.feeds)
  local access = brokers.parse(values.url, "url")
  return reader.new(values, feeds, access.servers, function(state) return open(state, values, feeds, access) end)
end
