-- SPDX-License-Identifier: MIT
-- What every source of reports is to a script: `for`, read, poll, latest, record, stats, close. Where the reports come
-- from is an engine's matter, which has
--   fd()         readable when step has something to do
--   step()       does what can be done now: gives to the source what has come
--   arm()        sets the descriptor to become readable when time alone gives step something to do
--   want()       the script has nothing left: ask for more
--   is_ready()   everything is set up
--   done(feed_id, mark)   the script has asked for another one after the report of that mark
--   finish()     true once all that is done is known; close()
--   counts(stats)         its part of the statistics

local check = require "chainlink.check"
local core = require "chainlink.core"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local recorded = require "chainlink.source.recorded"
local waiting = require "chainlink.waiting"

local reader = {}
local Source = {}
local methods = {}
Source.__index = methods

local LATEST_MS = 2 ^ 53 -- numbers are exact up to there
local FINISH_SECONDS = 1 -- that closing waits for what is done to be known

local function state_of(source, method)
  local state = type(source) == "table" and getmetatable(source) == Source and source.state
  if state then return state end
  errors.raise("ConfigError", ("%s: called on %s; write source:%s(...) with a colon"):format(method,
    errors.describe(source), method))
end

-- ---- taking ----

-- What was taken last is done with.
local function finish_last(state)
  local last = state.taken
  if not last then return end
  state.taken = nil
  state.engine:done(last.feed, last.mark)
end

-- -> report | nil | nil, err
local function pop(state)
  finish_last(state)
  if state.is_closed then return nil, errors.new("StreamClosedError", "the source was closed") end
  if not state.queue[state.first] then
    state.engine:step()
    if not state.queue[state.first] then
      if state.failure then return nil, state.failure end
      state.engine:want()
      state.engine:step() -- sends the question
    end
  end
  local item = state.queue[state.first]
  if not item then
    if state.recorder then recorded.pause(state) end
    return nil, state.failure
  end
  state.queue[state.first] = nil
  state.first = state.first + 1
  state.taken, state.accepted = item, state.accepted + 1
  state.latest[item.feed] = item.report
  if state.recorder then core.recorder_report(state.recorder, item.report) end
  return item.report
end

local function wait(state, seconds)
  if state.is_closed then return end
  state.engine:arm()
  if state.recorder then seconds = recorded.limit(state, seconds) end
  state.wait(state.engine:fd(), seconds)
end

local function read(state, timeout)
  local deadline = timeout and core.monotonic() + timeout
  while true do
    local report, err = pop(state)
    if report or err then return report, err end
    local left = deadline and deadline - core.monotonic()
    if left and left <= 0 then
      return nil, errors.new("TimeoutError", ("no report within %g seconds"):format(timeout), { retryable = true })
    end
    wait(state, left)
  end
end

--- The next report; waits up to `timeout` seconds, without one as long as it takes. -> report | nil, err
function methods.read(source, timeout)
  local state = state_of(source, "read")
  check.seconds(timeout, "timeout")
  return read(state, timeout)
end

--- `for report in source do`: a clean close ends the loop, a failure raises its error object.
function Source.__call(source)
  local state = source.state
  waiting.check_for(state, "source:read")
  local report, err = read(state)
  if report then return report end
  if state.is_closed then return nil end
  error(err, 0)
end

--- Never waits. -> report | nil when none is there | nil, err when the source is over
function methods.poll(source)
  local state = state_of(source, "poll")
  local report, err = pop(state)
  if not err then state.engine:arm() end
  return report, err
end

--- The newest report seen of the feed, without taking it; nil when there is none yet.
function methods.latest(source, feed_id)
  local state = state_of(source, "latest")
  return state.latest[check.feed_id(feed_id, "feed_id")]
end

--- Waits until it is set up, and so begins where it is to. -> source | nil, err
function methods.connect(source, timeout)
  local state = state_of(source, "connect")
  check.seconds(timeout, "timeout")
  local deadline = timeout and core.monotonic() + timeout
  while true do
    if state.is_closed then return nil, errors.new("StreamClosedError", "the source was closed") end
    state.engine:step()
    if state.failure then return nil, state.failure end
    if state.engine:is_ready() then return source end
    local left = deadline and deadline - core.monotonic()
    if left and left <= 0 then
      local words = ("not connected within %g seconds"):format(timeout)
      if state.last_failure then words = words .. "; the last failure: " .. state.last_failure end
      return nil, errors.new("TimeoutError", words, { retryable = true })
    end
    wait(state, left)
  end
end

--- In a group: what was taken so far is done with, the report taken last too. -> true | nil, err
function methods.ack(source)
  local state = state_of(source, "ack")
  finish_last(state)
  local deadline = core.monotonic() + FINISH_SECONDS
  while not state.is_closed and not state.failure do
    state.engine:step()
    if state.engine:finish() then return true end
    if core.monotonic() >= deadline then
      return nil, errors.new("TimeoutError", "what is done is not known to the server yet", { retryable = true })
    end
    wait(state, deadline - core.monotonic())
  end
  return nil, state.failure or errors.new("StreamClosedError", "the source was closed")
end

-- ---- event loops ----

--- The descriptor that is readable when `poll` has something to do, for event loops.
function methods.pollfd(source)
  local engine = state_of(source, "pollfd").engine
  engine:arm()
  return engine:fd()
end

methods.getfd = methods.pollfd

function methods.events(source)
  state_of(source, "events")
  return "r"
end

function methods.timeout(source) state_of(source, "timeout") end

--- Does something wait that the descriptor does not show?
function methods.dirty(source)
  local state = state_of(source, "dirty")
  return state.queue[state.first] ~= nil
end

-- ---- the rest ----

recorded.add(methods, state_of)

--- Counters, by the names of a stream's.
function methods.stats(source)
  local state = state_of(source, "stats")
  local stats = { feeds = state.feed_count, accepted = state.accepted, total_received = state.received,
    decode_errors = state.decode_errors, unverified = state.unverified, lost = state.lost,
    lost_seconds = math.ceil(state.lost_ms / 1000), queue_length = state.last - state.first + 1 }
  state.engine:counts(stats)
  stats.recording = state.recorder and core.record_stats(state.recorder)
  return stats
end

--- Ends it; reports that wait are given up, and in a group go to another consumer, as does the one taken last. May be
--- called again.
function methods.close(source)
  local state = state_of(source, "close")
  if state.is_closed then return end
  local deadline = core.monotonic() + FINISH_SECONDS
  state.taken = nil
  while not state.failure and not state.engine:finish() and core.monotonic() < deadline do
    wait(state, deadline - core.monotonic())
    state.engine:step()
  end
  state.is_closed, state.queue, state.first, state.last = true, {}, 1, 0
  state.engine:close()
  methods.unrecord(source)
end

Source.__close = methods.close

function Source.__tostring(source)
  local state = source.state
  return ("chainlink.source (%s)"):format(state.is_closed and "closed" or state.host)
end

-- ---- the engine's side ----

local State = {}
State.__index = State

--- A report's place in the queue: mark is the engine's.
function State:give(report, mark)
  self.last = self.last + 1
  self.queue[self.last] = { report = report, feed = report.feed_id, mark = mark }
end

--- Do so many wait for the script, or more?
function State:is_full(most) return self.last - self.first + 1 >= most end

--- Does the script have something to take?
function State:has_more() return self.queue[self.first] ~= nil end

function State:log(level, words) events.log(self, level, words, { time = core.time(), host = self.host }) end

local function tell(self, level, words, fields)
  fields.time = core.time()
  events.log(self, level, words, fields)
  if self.on_status then self.on_status(fields) end
end

--- A connection's state, by the names of a stream's.
function State:status(state, host, reason)
  if reason then self.last_failure = reason end
  local level = state == "connected" and "info" or "warn"
  tell(self, level, state .. " " .. host .. (reason and ": " .. reason or ""),
    { state = state, host = host, reason = reason })
end

local function whole_seconds(ms) return math.floor(ms / 1000) end

--- Of a feed's times, in milliseconds, both included: "lost" or "unverified". A server may tell any.
function State:range(state, feed, from, to, reason)
  from, to = math.min(from, LATEST_MS), math.min(to, LATEST_MS)
  if state == "lost" then
    self.lost, self.lost_ms = self.lost + 1, self.lost_ms + math.max(0, to - from + 1)
  end
  if self.recorder then core.recorder_range(self.recorder, state, feed, from, to, reason) end
  tell(self, "warn", ("%s: feed %s from %.0f to %.0f: %s"):format(state, feed, whole_seconds(from), whole_seconds(to),
    reason), { state = state, feed_id = feed, from = whole_seconds(from), to = whole_seconds(to), from_ms = from,
    to_ms = to, reason = reason })
end

--- The report of these bytes, as long as it is one of that feed and time and verifies where that is asked for; else it
--- is counted, told, and nil. told: {ms =, received_at = (ms), backfilled =, origin =}
function State:restore(feed, bytes, told)
  self.received = self.received + 1
  local good, report, err = pcall(core.restore, bytes, told.ms, 0, told.received_at, told.backfilled, told.origin)
  if not good then report, err = nil, errors.new("DecodeError", tostring(report)) end
  if report and (report.feed_id ~= feed or report.observations_timestamp_ms ~= told.ms) then
    report, err = nil, errors.new("DecodeError", "the report is of another feed or time")
  end
  if not report then
    self.decode_errors = self.decode_errors + 1
    self:log("warn", ("feed %s, %.0f ms: %s"):format(feed, told.ms, err.message))
    return nil
  end
  if not self.verify then return report end
  local verified, why = report:verify(self.verify)
  if verified then return report end
  self.unverified = self.unverified + 1
  self:range("unverified", feed, told.ms, told.ms, why.message)
  return nil
end

function State:fail(err) self.failure = self.failure or err end

local closes_for_loops = _VERSION >= "Lua 5.4"

--- A source by checked options. open(state) -> engine | nil, err
function reader.new(values, feed_ids, host, open)
  local loop = waiting.by(values.loop)
  local feeds = {}
  for _, id in ipairs(feed_ids) do feeds[id] = true end
  local state = setmetatable({ queue = {}, first = 1, last = 0, latest = {}, accepted = 0, received = 0,
    decode_errors = 0, unverified = 0, lost = 0, lost_ms = 0, feed_count = #feed_ids, feeds = feeds, host = host,
    wait = loop.wait, may_yield = loop.may_yield, has_limits = loop.has_limits, logger = values.logger,
    log_level = values.log_level or "info", on_status = values.on_status, verify = values.verify or nil }, State)
  local engine, err = open(state)
  if not engine then return nil, err end
  state.engine = engine
  local source = setmetatable({ state = state }, Source)
  if closes_for_loops then return source, nil, nil, source end
  return source
end

return reader
