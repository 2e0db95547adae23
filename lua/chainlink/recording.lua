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
  if path:find "%.zst$" then
    errors.raise("ConfigError", "zstd is not written here, and a name that ends in .zst would say so: end it in .gz")
  end
  local checked = config.read(rows, {}, values)
  if core.record_stats(stream) then errors.raise("ConfigError", "the stream is being recorded already") end
  return core.record(stream, path, recording.ids(state), checked)
end

--- The feeds have changed.
function recording.note_feeds(stream, state)
  if core.record_stats(stream) then core.record_feeds(stream, recording.ids(state)) end
end

return recording
