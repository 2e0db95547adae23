-- SPDX-License-Identifier: MIT
-- A recording as a stream: chainlink.replay(path, options). What a stream does is in lua/chainlink/stream.lua.

local core = require "chainlink.core"
local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local stream = require "chainlink.stream"
local waiting = require "chainlink.waiting"

local rows = {
  { "speed", 1, function(value) return value == "max" or config.number_between(1e-6, 1e6)(value) end,
    'a number above 0, or "max"' },
  { "from", nil, config.whole_between(0, 2 ^ 32 - 1), "a time in seconds since 1970" },
  { "to", nil, config.whole_between(0, 2 ^ 32 - 1), "a time in seconds since 1970" },
  { "feeds", nil, function(value) return type(value) == "table" end, "an array of feed ids" },
}
local shared = { "verify", "logger", "log_level", "on_status", "loop" }

local function check_paths(path)
  local paths = type(path) == "string" and { path } or path
  if type(paths) ~= "table" or #paths == 0 then
    errors.raise("ConfigError", "path must be the name of a recording, or an array of names, got "
      .. errors.describe(path))
  end
  for _, name in ipairs(paths) do
    if type(name) ~= "string" or name == "" or name:find "%z" then
      errors.raise("ConfigError", "path must be the name of a file or folder, got " .. errors.describe(name))
    end
  end
  return paths
end

--- Checks everything, and opens the first file. -> stream | nil, err
return function(path, options)
  local paths = check_paths(path)
  local values = config.read(rows, shared, options)
  local ids = values.feeds and check.feed_ids(values.feeds) or {}
  local loop = waiting.by(values.loop)
  if not values.logger then values.log_level = "none" end
  local self, err = core.replay(paths, ids, { speed = values.speed ~= "max" and values.speed or 0, from = values.from,
    to = values.to, verify = values.verify or nil })
  if not self then return nil, err end
  stream.prepare(self, core.replay_feeds(self), values, loop).host = paths[1]
  return stream.for_loop(self)
end
