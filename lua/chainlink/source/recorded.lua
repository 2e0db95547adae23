-- SPDX-License-Identifier: MIT
-- Keeping what a source gives in files, as a stream's recording is kept (docs/recordings.md).

local core = require "chainlink.core"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local recording = require "chainlink.recording"

local recorded = {}
local methods = {}

-- The writer's own log lines.
local function tell(state) events.drain(state, core.recorder_event, state.recorder) end

--- Nothing is there for the script: what waits is written, as long as a compressed line does not wait for others.
function recorded.pause(state)
  core.recorder_pause(state.recorder)
  tell(state)
end

--- How long may be waited, so that what waits to be written is written in time.
function recorded.limit(state, seconds)
  local due = core.record_due(state.recorder)
  if not due or seconds and seconds <= due then return seconds end
  if state.has_limits() then return due end
  core.record_write(state.recorder)
  return seconds
end

--- Writes what the script takes from now on into a file, or recording.jsonl of a folder; options as of stream:record.
--- -> true | nil, err
function methods.record(state, path, options)
  if state.is_closed then return nil, errors.new("StreamClosedError", "the source was closed") end
  state.recorder = state.recorder or core.recorder()
  local done, err = recording.start(state.recorder, state, path, options)
  tell(state)
  return done, err
end

--- Writes now what waits to be. -> true | nil, the last failure since the last call
function methods.flush(state)
  if not state.recorder then return true end
  local done, err = core.record_flush(state.recorder)
  tell(state)
  return done, err
end

--- Ends the recording, and not the source. -> true | nil, the last failure
function methods.unrecord(state)
  local done, err = methods.flush(state)
  if state.recorder then core.record_end(state.recorder) end
  state.recorder = nil
  return done, err
end

--- Gives a source's methods these too. state_of(source, method): the source's state, or it raises.
function recorded.add(to, state_of)
  for name, method in pairs(methods) do
    to[name] = function(source, ...) return method(state_of(source, name), ...) end
  end
end

return recorded
