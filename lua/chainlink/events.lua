-- SPDX-License-Identifier: MIT
-- Hands what the engine recorded to the script's callbacks, in the script's own thread.

local events = {}

local ranks = { debug = 1, info = 2, warn = 3, error = 4, none = 5 }

local function parse_headers(raw)
  local headers = {}
  for written, value in (raw or ""):gmatch "([^\r\n:]+):[ \t]*([^\r\n]*)" do
    local name = written:lower()
    headers[name] = headers[name] and headers[name] .. ", " .. value or value
  end
  return headers
end

local function status_line(event)
  local line = event.state .. (event.host and " " .. event.host or "")
  if event.origin then line = line .. " (origin " .. event.origin .. ")" end
  if event.message then line = line .. ": " .. event.message end
  if event.delay > 0 then line = line .. (", next attempt in %.1f s"):format(event.delay) end
  return line
end

--- Calls the logger if the level is wanted.
function events.log(state, level, message, fields)
  if state.logger and ranks[level] >= ranks[state.log_level] then state.logger(level, message, fields or {}) end
end

local deliver = {}

function deliver.log(state, event)
  events.log(state, event.level, event.message or "", { time = event.time, origin = event.origin, host = event.host })
end

function deliver.status(state, event)
  local fields = { state = event.state, origin = event.origin, host = event.host, reason = event.message,
    attempt = event.attempt, delay = event.delay, time = event.time }
  if event.state == "reconnecting" then state.last_failure = event.message end -- for Stream:connect
  events.log(state, event.level, status_line(event), fields)
  if state.on_status then state.on_status(fields) end
end

local range_lines = { gap = "reports may be missing", backfilled = "backfilled", lost = "reports are lost",
  unverified = "a report does not verify" }

function deliver.range(state, event)
  local fields = { state = event.state, feed_id = event.feed_id, from = event.from, to = event.to,
    from_ms = event.from_ms, to_ms = event.to_ms, reason = event.message, time = event.time, host = event.host,
    origin = event.origin }
  local line = ("%s: feed %s from %d to %s"):format(range_lines[event.state], event.feed_id, event.from,
    event.to or "the next report")
  events.log(state, event.level, event.message and line .. ": " .. event.message or line, fields)
  if state.on_status then state.on_status(fields) end
end

function deliver.response(state, event)
  if not state.on_response then return end
  state.on_response { method = event.method, url = event.url, status = event.status, elapsed = event.elapsed,
    headers = parse_headers(event.raw_headers), time = event.time }
end

--- Delivers what waits: `take` is core.call_event or core.stream_event. True when there was something.
function events.drain(state, take, object)
  local event = take(object)
  local any = event ~= nil
  while event do
    deliver[event.kind](state, event)
    event = take(object)
  end
  return any
end

return events
