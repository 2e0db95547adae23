-- SPDX-License-Identifier: MIT
-- Reports into a topic of Kafka, in transactions. There is one producer: who begins takes over from whoever was there,
-- reads back what the newest report of each feed is, and goes on from that.

local block = require "chainlink.loop.block"
local brokers = require "chainlink.relay.brokers"
local errors = require "chainlink.errors"
local kafka = require "chainlink.kafka"

local sinks = {}
local Sink = {}
Sink.__index = Sink

local SLICE_MS = 500 -- that the library waits at a time, so that Ctrl-C is heard
local READ_BACK = 20000 -- messages of each partition
local PAUSE = 0.5 -- seconds, where something is to be tried again

--- options: access (what brokers.parse answers), settings (optional), log(level, words). -> sink
function sinks.new(options)
  return setmetatable({ access = options.access, given = options.settings, log = options.log, newest_ms = {},
    newest_blobs = {} }, Sink)
end

local function say(self, words)
  if self.told ~= words then self.log("warn", words) end
  self.told = words
end

-- A step of a transaction, again and again until it is taken; a refusal raises. -> "done", "abort" or "fatal", words
local function step(self, name)
  while true do
    local outcome, words
    if name == "begin" then outcome, words = kafka.begin(self.producer)
    else outcome, words = kafka[name](self.producer, SLICE_MS) end
    if outcome == "refused" then error(errors.new("AuthenticationError", words), 0) end
    if outcome ~= "again" then return outcome, words end
    say(self, words)
  end
end

-- The producer is of no use any more.
local function give_up(self, words)
  kafka.close(self.producer)
  self.producer = nil
  if words:find "[Ff]enced" then
    error(errors.new("APIError", "another relay of this topic has taken over: " .. words), 0)
  end
  say(self, words)
end

local function take_over(self)
  while true do
    local settings = brokers.settings(self.access, { ["transactional.id"] = "chainlink-streams-" .. self.access.topic,
      ["enable.idempotence"] = "true", ["linger.ms"] = "0", partitioner = "murmur2_random" }, self.given)
    local producer, why = kafka.open(true, settings)
    if not producer then error(errors.new("ConfigError", why), 0) end
    self.producer = producer
    local outcome, words = step(self, "init")
    if outcome == "done" then return end
    give_up(self, words)
    block.wait(-1, PAUSE)
  end
end

-- ---- what is there ----

local function note(self, feed, ms, blob)
  if ms > (self.newest_ms[feed] or -1) then self.newest_ms[feed], self.newest_blobs[feed] = ms, {} end
  if ms == self.newest_ms[feed] then self.newest_blobs[feed][blob] = true end
end

local function read_messages(self, consumer, partitions)
  local decode = require "chainlink".decode
  local left, ended = partitions, {}
  while left > 0 do
    local message = kafka.take(consumer)
    if not message then block.wait(kafka.fd(consumer), PAUSE)
    elseif message.failure == "end" then -- may be told again
      left = left - (ended[message.partition] and 0 or 1)
      ended[message.partition] = true
    elseif message.failure == "refusal" then error(errors.new("AuthenticationError", "Kafka: " .. message.reason), 0)
    elseif message.failure then say(self, "Kafka: " .. message.reason)
    else
      local ms, report = tonumber(message.headers.observed_at), decode(message.value)
      if ms and report then note(self, message.key, ms, report.report_blob) end
    end
  end
end

local function read_back(self)
  local settings = brokers.settings(self.access, { ["group.id"] = "chainlink-streams-relay",
    ["enable.auto.commit"] = "false", ["enable.partition.eof"] = "true", ["isolation.level"] = "read_committed",
    ["allow.auto.create.topics"] = "true" },
    self.given)
  local consumer, why = kafka.open(false, settings)
  if not consumer then error(errors.new("ConfigError", why), 0) end
  local partitions, words
  repeat
    partitions, words = kafka.assign(consumer, self.access.topic, READ_BACK, 5000)
    if not partitions then
      say(self, words)
      block.wait(-1, PAUSE)
    end
  until partitions
  local ok, err = pcall(read_messages, self, consumer, partitions)
  kafka.close(consumer)
  if not ok then error(err, 0) end
end

--- Takes over, and reads back the time of each feed's newest report, in milliseconds.
function Sink:newest(feeds)
  if self.producer then kafka.close(self.producer) end
  self.newest_ms, self.newest_blobs = {}, {}
  take_over(self)
  read_back(self)
  self.log("info", "connected to Kafka at " .. self.access.servers)
  local times = {}
  for _, feed in ipairs(feeds) do times[feed] = self.newest_ms[feed] end
  return times
end

-- ---- adding ----

-- -> "added", "known" or "late"
local function look_at(self, feed, report)
  local ms, newest = report.observations_timestamp_ms, self.newest_ms[feed] or -1
  if ms > newest then return "added" end
  if ms < newest then return "known" end -- a stream brings them in order
  return self.newest_blobs[feed][report.report_blob] and "known" or "added"
end

local function text(number) return ("%.0f"):format(number or 0) end

local function produce(self, feed, item, after)
  local report = item.report
  return kafka.produce(self.producer, self.access.topic, feed, report:bytes(), {
    "observed_at", text(report.observations_timestamp_ms), "received_at", text((report.received_at or 0) * 1000),
    "backfilled", report.backfilled and "1" or "0", "origin", report.origin or "", "after", text(after),
    "lost", item.lost or "" })
end

local function produce_all(self, news)
  local outcome, words = step(self, "begin")
  for _, one in ipairs(news) do
    if outcome ~= "done" then return outcome, words end
    outcome, words = produce(self, one.feed, one.item, one.after)
  end
  if outcome ~= "done" then return outcome, words end
  return step(self, "commit")
end

-- Those that are new, in order by feed, each with the time of the one before it; and counts.
local function sift(self, by_feed)
  local news, counts = {}, { added = 0, known = 0, late = 0, old = 0, behind = 0 }
  for feed, items in pairs(by_feed) do
    for _, item in ipairs(items) do
      local what = look_at(self, feed, item.report)
      counts[what] = counts[what] + 1
      if what == "added" then
        news[#news + 1] = { feed = feed, item = item, after = self.newest_ms[feed] }
        note(self, feed, item.report.observations_timestamp_ms, item.report.report_blob)
      end
    end
  end
  return news, counts
end

--- Adds reports: by feed, an array of {report=, lost=} in order. -> counts
function Sink:add(by_feed)
  local news, counts = sift(self, by_feed)
  while #news > 0 do
    local outcome, words = produce_all(self, news)
    if outcome == "done" then break end
    if outcome == "abort" then
      say(self, words)
      outcome, words = step(self, "abort")
    end
    if outcome == "fatal" then
      give_up(self, words)
      return { behind = 1 } -- what was added of these is read back
    end
  end
  return counts
end

function Sink:close()
  if self.producer then kafka.close(self.producer) end
end

return sinks
