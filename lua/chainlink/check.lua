-- SPDX-License-Identifier: MIT
-- Checks of arguments. A wrong one is a mistake in the program and raises.

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local check = {}

local MAX_TIMESTAMP = 4294967295
local MAX_FEEDS = 1000
local MAX_LIMIT = 10000

local function is_whole(value)
  return type(value) == "number" and value == math.floor(value) and value - value == 0
end

--- Options; nil stands for none, unless they are required.
function check.options(value, required)
  if (value == nil and not required) or type(value) == "table" then return end
  errors.raise("ConfigError", "options must be a table, got " .. errors.describe(value))
end

--- The feed id in lower case.
function check.feed_id(value, name)
  if type(value) ~= "string" then
    errors.raise("InvalidFeedIDError",
      ("%s must be a text of 0x and 64 hex digits, got %s"):format(name, errors.describe(value)))
  end
  local id, err = core.feed_id(value)
  if not id then errors.raise("InvalidFeedIDError", name .. ": " .. err.message) end
  return id
end

--- The array without repetitions, in lower case.
function check.feed_ids(value)
  if type(value) ~= "table" then
    errors.raise("ConfigError", "feed_ids must be an array of feed ids, got " .. errors.describe(value))
  end
  local ids, seen = {}, {}
  for i = 1, #value do
    local id = check.feed_id(value[i], ("feed_ids[%d]"):format(i))
    if not seen[id] then ids[#ids + 1] = id end
    seen[id] = true
  end
  if #ids == 0 then errors.raise("ConfigError", "feed_ids must be an array of feed ids, got an empty table") end
  if #ids > MAX_FEEDS then
    errors.raise("ConfigError", ("feed_ids may hold at most %d feed ids, got %d"):format(MAX_FEEDS, #ids))
  end
  return ids
end

function check.timestamp(value, name)
  if is_whole(value) and value >= 0 and value <= MAX_TIMESTAMP then return value end
  local hint = ""
  if type(value) == "number" and value > MAX_TIMESTAMP then hint = " (milliseconds? seconds are expected)" end
  errors.raise("ConfigError", ("%s must be whole seconds since 1970, from 0 to %d, got %s%s"):format(
    name, MAX_TIMESTAMP, errors.describe(value), hint))
end

--- nil stands for the service's own limit.
function check.limit(value)
  if value == nil or (is_whole(value) and value >= 1 and value <= MAX_LIMIT) then return value end
  errors.raise("ConfigError",
    ("limit must be a whole number from 1 to %d, got %s"):format(MAX_LIMIT, errors.describe(value)))
end

--- Seconds to wait; nil stands for no end.
function check.seconds(value, name)
  if value == nil or (type(value) == "number" and value >= 0) then return value end
  errors.raise("ConfigError",
    ("%s must be a number of seconds, 0 or more, got %s"):format(name, errors.describe(value)))
end

--- The Lua layer's table of a client or stream.
function check.self(object, class, method)
  local state = core.uservalue(object)
  if state and state.class == class then return state end
  errors.raise("ConfigError", ("%s: called on %s; write %s:%s(...) with a colon"):format(
    method, errors.describe(object), class, method))
end

--- The same of an object that is a table with this metatable.
function check.object(object, metatable, class, method)
  if getmetatable(object) == metatable then return end
  errors.raise("ConfigError", ("%s: called on %s; write %s:%s(...) with a colon"):format(
    method, errors.describe(object), class, method))
end

return check
