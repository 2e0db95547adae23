-- SPDX-License-Identifier: MIT
-- The Stream: reading, waiting, statistics. Reports are popped in C; all waiting is here, through the loop's wait.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local later = require "chainlink.later"
local metrics, recording = later "chainlink.metrics", later "chainlink.recording"
local waiting = require "chainlink.waiting"

local Stream = core.stream_metatable
local methods = {}
Stream.__index = methods

local pop, uservalue, monotonic = core.stream_pop, core.uservalue, core.monotonic
local stream_event, record_due = core.stream_event, core.record_due

-- Until something is there for the script. A loop that others run in meanwhile needs a descriptor that outlives a close
-- by one of them; a stream that is closed already, by a callback say, has none, and nothing to wait for.
local function wait_for_any(state, stream, seconds)
  local due = record_due(stream)
  if due and (not seconds or due < seconds) then
    if state.has_limits() then seconds = due else core.record_write(stream) end
  end
  if state.blocks() and core.stream_lead(stream, seconds) then return end
  local fd = (state.may_yield() and core.stream_share_fd or core.stream_fd)(stream)
  if fd and fd >= 0 then state.wait(fd, seconds) end
end

-- Goes on where pop gave no report: -> report | nil, err
local function wait_for_report(stream, state, report, note, timeout)
  local deadline = timeout and monotonic() + timeout
  local left = timeout
  while not report do
    events.drain(state, stream_event, stream)
    if report == false then return nil, note end
    if left and left <= 0 and not note then
      return nil, errors.new("TimeoutError", ("no report within %g seconds"):format(timeout), { retryable = true })
    end
    if not note then wait_for_any(state, stream, left) end
    left = deadline and math.max(0, deadline - monotonic())
    report, note = pop(stream)
  end
  return report
end

--- The next report; waits up to `timeout` seconds, without one as long as it takes. -> report | nil, err
function methods.read(stream, timeout)
  local state = check.self(stream, "stream", "read")
  check.seconds(timeout, "timeout")
  local report, note = pop(stream)
  if report then return report end
  return wait_for_report(stream, state, report, note, timeout)
end

--- `for report in stream do`: a clean close ends the loop, a failure raises its error object.
function Stream.__call(stream)
  local report, note = pop(stream)
  if report then return report end
  local state = uservalue(stream)
  waiting.check_for(state, "stream:read")
  local waited, err = wait_for_report(stream, state, report, note)
  if waited then return waited end
  if core.stream_is_closed(stream) and err.kind == "StreamClosedError" then return nil end
  error(err, 0)
end

--- Never waits. -> report | nil when none is there | nil, err when the stream is over
function methods.poll(stream)
  local state = check.self(stream, "stream", "poll")
  local report, note = pop(stream)
  if report then return report end
  events.drain(state, stream_event, stream)
  if report == nil then report, note = pop(stream) end
  if report == false then return nil, note end
  return report
end

--- The newest report seen of the feed, without taking it from the queue; nil when there is none yet.
function methods.latest(stream, feed_id)
  local state = check.self(stream, "stream", "latest")
  local id = check.feed_id(feed_id, "feed_id")
  events.drain(state, stream_event, stream)
  return core.stream_latest(stream, id)
end

local LOOK_SECONDS = 0.25 -- another coroutine may have taken the event that tells of it
local POLL_SECONDS = 0.01 -- while reports of some feeds keep the descriptor readable and others are not subscribed

-- The time is over: what the last attempt that failed had met with says more than that.
local function not_connected(state, timeout)
  local message = ("not connected within %g seconds"):format(timeout)
  if state.last_failure then message = message .. "; the last failure: " .. state.last_failure end
  return errors.new("TimeoutError", message, { retryable = true })
end

--- Waits until every feed is subscribed. -> stream | nil, err: what ended the stream, or a TimeoutError that tells the
--- last failure of its connections.
function methods.connect(stream, timeout)
  local state = check.self(stream, "stream", "connect")
  check.seconds(timeout, "timeout")
  local deadline = timeout and monotonic() + timeout
  while true do
    local subscribed = core.stream_is_subscribed(stream)
    events.drain(state, stream_event, stream) -- what led there is told before
    if subscribed then
      state.last_failure = nil
      return stream
    end
    local found, err = core.stream_peek(stream)
    if found == false then return nil, err end
    local left = deadline and math.max(0, deadline - monotonic())
    if left == 0 then return nil, not_connected(state, timeout) end
    if found then state.wait(-1, math.min(left or POLL_SECONDS, POLL_SECONDS))
    elseif state.may_yield() and state.has_limits() then
      wait_for_any(state, stream, math.min(left or LOOK_SECONDS, LOOK_SECONDS))
    else wait_for_any(state, stream, left) end
  end
end

--- The descriptor that is readable exactly while something waits for the script, for event loops; it stays until the
--- stream is collected. -> integer | nil, err when none is to be had for a stream that was closed before
function methods.pollfd(stream)
  check.self(stream, "stream", "pollfd")
  return core.stream_share_fd(stream)
end

--- With pollfd, what cqueues.poll asks of an object: to read, for as long as it takes.
function methods.events(stream)
  check.self(stream, "stream", "events")
  return "r"
end

function methods.timeout(stream)
  check.self(stream, "stream", "timeout")
end

--- What LuaSocket's select asks of an object: pollfd, and that nothing waits where the descriptor does not show it.
function methods.getfd(stream)
  check.self(stream, "stream", "getfd")
  return core.stream_share_fd(stream)
end

function methods.dirty(stream)
  check.self(stream, "stream", "dirty")
  return false
end

-- Tells once of each feed that is to go soon, as far as the client has asked the catalogue: a stream asks nobody.
local function tell_of_going(state, ids)
  local catalogue, now = state.client and uservalue(state.client).catalogue, core.time()
  for _, id in ipairs(catalogue and ids or {}) do
    local at = not state.told_of[id] and catalogue:goes_at(id, now)
    if at then
      state.told_of[id] = true
      events.log(state, "warn", ("feed %s is to be removed on %s"):format(id, os.date("!%Y-%m-%d", at)))
    end
  end
end

-- The stream's feeds by id, for its metrics.
local function note_feeds(state, ids, is_one)
  for _, id in ipairs(ids) do state.feeds[id:lower()] = is_one or nil end
end

local function change(stream, name, feed_ids)
  local state = check.self(stream, "stream", name)
  local ids = check.feed_ids(feed_ids)
  local done, err = core["stream_" .. name](stream, ids)
  if not done and err.kind == "ConfigError" then errors.throw(err) end
  if done then
    note_feeds(state, ids, name == "subscribe")
    recording.note_feeds(stream, state)
  end
  if done and name == "subscribe" then tell_of_going(state, ids) end
  events.drain(state, stream_event, stream)
  return done, err
end

--- Adds feeds; connections follow behind. -> true | nil, err
function methods.subscribe(stream, feed_ids)
  return change(stream, "subscribe", feed_ids)
end

--- Takes feeds out: their reports are not delivered any more. -> true | nil, err
function methods.unsubscribe(stream, feed_ids)
  return change(stream, "unsubscribe", feed_ids)
end

--- Writes what the script takes from now on into a file, or recording.jsonl of a folder; options: rotate_bytes,
--- rotate_seconds, fsync (docs/recordings.md). -> true | nil, err
function methods.record(stream, path, options)
  local state = check.self(stream, "stream", "record")
  local done, err = recording.start(stream, state, path, options)
  events.drain(state, stream_event, stream)
  return done, err
end

--- Writes now what waits to be. -> true | nil, the last failure since the last call
function methods.flush(stream)
  local state = check.self(stream, "stream", "flush")
  local done, err = core.record_flush(stream)
  events.drain(state, stream_event, stream)
  return done, err
end

--- Ends the recording, and not the stream. -> true | nil, the last failure
function methods.unrecord(stream)
  local done, err = methods.flush(stream)
  core.record_end(stream)
  return done, err
end

local summed = { "messages_received", "bytes_received", "errors_count", "reconnect_count" }

--- Counters of the stream, and of each connection in `origins`.
function methods.stats(stream)
  local state = check.self(stream, "stream", "stats")
  events.drain(state, stream_event, stream)
  local stats = core.stream_stats(stream)
  for _, name in ipairs(summed) do stats[name] = 0 end
  stats.connection_uptime = 0
  for _, origin in ipairs(stats.origins) do
    for _, name in ipairs(summed) do stats[name] = stats[name] + origin[name] end
    stats.connection_uptime = math.max(stats.connection_uptime, origin.connection_uptime)
    local last = origin.last_message_time
    if last then stats.last_message_time = math.max(stats.last_message_time or last, last) end
  end
  stats.recording = core.record_stats(stream)
  return stats
end

--- The same as OpenMetrics text, with the age of each feed's newest report.
function methods.metrics(stream)
  local state = check.self(stream, "stream", "metrics")
  return metrics.stream(stream, stream:stats(), recording.ids(state))
end

--- Ends the stream; reports that wait in its queue are given up. May be called again.
function methods.close(stream)
  local state = check.self(stream, "stream", "close")
  core.stream_close(stream)
  core.record_flush(stream)
  events.drain(state, stream_event, stream)
  core.record_end(stream)
end

Stream.__close = methods.close

function Stream.__tostring(stream)
  local state = uservalue(stream)
  local what = core.stream_is_closed(stream) and "closed" or core.stream_stats(stream).feeds .. " feeds, " .. state.host
  return "chainlink.stream (" .. what .. ")"
end

local stream = {}

-- Lua closes the fourth value of a generic `for` from 5.4 on.
local closes_for_loops = _VERSION >= "Lua 5.4"

--- Answers a stream so that, where Lua can, leaving a `for` loop over it closes it.
function stream.for_loop(self)
  if closes_for_loops then return self, nil, nil, self end
  return self
end

--- Fills in the Lua layer's table of a stream, which is returned.
function stream.prepare(self, ids, values, loop)
  local state = uservalue(self)
  state.class, state.told_of, state.feeds = "stream", {}, {}
  state.wait, state.may_yield, state.has_limits, state.blocks = loop.wait, loop.may_yield, loop.has_limits, loop.blocks
  state.logger, state.log_level, state.on_status = values.logger, values.log_level, values.on_status
  note_feeds(state, ids, true)
  return state
end

--- Opens a stream of the client. Checks everything and returns at once; connecting goes on behind.
function stream.open(client, client_state, feed_ids, options)
  local ids = check.feed_ids(feed_ids)
  local values = config.stream(options, client_state.values)
  local loop = waiting.by(values.loop)
  local self, err = core.stream(client, ids, values)
  if not self and err.kind == "ConfigError" then errors.throw(err) end
  if not self then return nil, err end
  local state = stream.prepare(self, ids, values, loop)
  state.client, state.host = client, client_state.values.host
  tell_of_going(state, ids)
  return stream.for_loop(self)
end

return stream
