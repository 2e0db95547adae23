-- SPDX-License-Identifier: MIT
-- What a feed in nginx is made of, checked.

local check = require "chainlink.check"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local store = require "chainlink.openresty.store"

local options = {}

local known = { dict = true, feed_ids = true, feeds = true, client = true, stream = true, owner = true, history = true }
local LATE = 10000 -- milliseconds: for so long a stream knows what it delivered, so who takes it over knows as much
local levels = { debug = "DEBUG", info = "INFO", warn = "WARN", error = "ERR" }

local function raise(...) errors.raise("ConfigError", (...):format(select(2, ...))) end

local function check_names(given)
  if type(given) ~= "table" then raise("options must be a table, got %s", errors.describe(given)) end
  for name in pairs(given) do
    if not known[name] then raise("there is no option %s of a feed", errors.describe(name)) end
  end
  for _, name in ipairs { "client", "stream" } do
    local value = given[name]
    if value ~= nil and type(value) ~= "table" then
      raise("option '%s' must be a table, got %s", name, errors.describe(value, true))
    end
  end
end

local function check_phase()
  local phase = ngx.get_phase()
  if phase == "init_worker" then return end
  raise("a feed is made in init_worker_by_lua, not in phase %q%s", phase,
    phase == "init" and ": what runs in the master does not reach its workers" or "")
end

-- Ids and names, which the worker that leads looks up.
local function check_feeds(given)
  if given.feed_ids ~= nil then raise "give one of the options 'feed_ids' and 'feeds', not both" end
  local value = given.feeds
  if type(value) ~= "table" or #value == 0 then
    raise("option 'feeds' must be an array of ids and names, got %s", errors.describe(value))
  end
  for i, feed in ipairs(value) do
    if type(feed) ~= "string" then raise("feeds[%d] must be an id or a name, got %s", i, errors.describe(feed)) end
  end
  return value
end

local function check_dict(name, entries, copies)
  local dict = type(name) == "string" and ngx.shared[name]
  if not dict then
    raise("option 'dict' must be the name of a lua_shared_dict, got %s", errors.describe(name))
  end
  local need = store.need(entries, 0) * copies
  if dict:capacity() < need then
    raise("lua_shared_dict %s is too small: it has %d KiB, and %d reports want %d KiB", name, dict:capacity() / 1024,
      entries * copies, math.ceil(need / 1024))
  end
  return dict
end

local function log(level, message)
  ngx.log(ngx[levels[level]], "chainlink: ", message)
end

--- The options with defaults, and the client's own.
function options.read(given)
  check_names(given)
  check_phase()
  local feeds = given.feeds ~= nil and check_feeds(given) or nil
  local out = { name = given.dict, feeds = feeds, ids = feeds and {} or check.feed_ids(given.feed_ids),
    stream = given.stream or {}, owner = given.owner or "one", history = given.history or 256 }
  if out.owner ~= "one" and out.owner ~= "each" then
    raise("option 'owner' must be \"one\" or \"each\", got %s", errors.describe(out.owner))
  end
  local history = out.history
  if type(history) ~= "number" or history < 1 or history > 1e6 or history ~= math.floor(history) then
    raise("option 'history' must be a whole number from 1 to 1000000, got %s", errors.describe(history))
  end
  out.dict = check_dict(given.dict, #(feeds or out.ids) + history, out.owner == "each" and ngx.worker.count() or 1)
  out.client = config.from_environment(given.client)
  out.client.loop = "openresty"
  out.client.logger = out.client.logger or log
  out.late = (out.stream.order or out.client.order) == "arrival" and LATE or 0
  return out
end

return options
