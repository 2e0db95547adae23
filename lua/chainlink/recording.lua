-- SPDX-License-Identifier: MIT
-- Keeping what a stream gives in files (docs/recordings.md). What is written and when is the engine's matter.

local config = require "chainlink.config"
local core = require "chainlink.core"
local errors = require "chainlink.errors"

local recording = {}

local rows = {
  { "rotate_bytes", nil, config.whole_between(1, 2 ^ 53), "a whole number of bytes above 0" },
  { "rotate_seconds", nil, config.whole_between(1, 31622400), "a whole number of seconds from 1 to 31622400" },
  { "fsync", false, config.is_boolean, "true or false" },
}

--- The feeds' ids, sorted.
function recording.ids(state)
  local ids = {}
  for id in pairs(state.feeds) do ids[#ids + 1] = id end
  table.sort(ids)
  return ids
end

--- Begins to record. -> true | nil, err
function recording.start(stream, state, path, values)
  if type(path) ~= "string" or path == "" or path:find "%z" then
    errors.raise("ConfigError", "path must be the name of a file or folder, got " .. errors.describe(path))
  end
  local checked = config.read(rows, {}, values)
  if core.record_stats(stream) then errors.raise("ConfigError", "the stream is being recorded already") end
  local done, err = core.record(stream, path, recording.ids(state), checked)
  if done and state.client then
    local client_state = core.uservalue(state.client)
    client_state.recorded = client_state.recorded or setmetatable({}, { __mode = "k" })
    client_state.recorded[stream] = true
  end
  return done, err
end

--- The client is closed: so are its streams that are recorded, which writes what waits. Callbacks of theirs may run.
function recording.close_streams(client_state)
  local streams = {}
  for stream in pairs(client_state.recorded) do
    streams[#streams + 1] = stream
    core.record_write(stream) -- of all, before a callback can fail
  end
  client_state.recorded = nil
  for _, stream in ipairs(streams) do stream:close() end
end

--- The feeds have changed.
function recording.note_feeds(stream, state)
  if core.record_stats(stream) then core.record_feeds(stream, recording.ids(state)) end
end

return recording
