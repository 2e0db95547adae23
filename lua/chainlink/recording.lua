-- SPDX-License-Identifier: MIT
-- Keeping what a stream gives in files (docs/recordings.md). What is written and when is the engine's matter.

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local recording = {}

local function is_whole(value)
  return type(value) == "number" and value >= 1 and value <= 2 ^ 53 and value == math.floor(value)
end

local function is_boolean(value) return type(value) == "boolean" end

local options = {
  rotate_bytes = { is_whole, "a whole number of bytes above 0" },
  rotate_seconds = { function(value) return is_whole(value) and value <= 366 * 86400 end,
    "a whole number of seconds, from 1 to 31622400" },
  fsync = { is_boolean, "true or false" },
}

local function check(values)
  if values ~= nil and type(values) ~= "table" then
    errors.raise("ConfigError", "options of a recording must be a table, got " .. errors.describe(values))
  end
  local checked = {}
  for name, value in pairs(values or {}) do
    local row = options[name]
    if not row then errors.raise("ConfigError", ("a recording has no option '%s'"):format(tostring(name))) end
    if not row[1](value) then
      errors.raise("ConfigError", ("option '%s' must be %s, got %s"):format(name, row[2], errors.describe(value)),
        { expected = row[2] })
    end
    checked[name] = value
  end
  return checked
end

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
  local checked = check(values)
  if core.record_stats(stream) then errors.raise("ConfigError", "the stream is being recorded already") end
  return core.record(stream, path, recording.ids(state), checked)
end

--- The feeds have changed.
function recording.note_feeds(stream, state)
  if core.record_stats(stream) then core.record_feeds(stream, recording.ids(state)) end
end

return recording
