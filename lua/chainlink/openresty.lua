-- SPDX-License-Identifier: MIT
-- A feed for nginx' Lua module (OpenResty): one stream for all workers, their latest reports in a lua_shared_dict.
-- docs/hosts.md describes it.

local errors = require "chainlink.errors"

if not package.loaded.ngx then errors.raise("ConfigError", "chainlink.openresty works in nginx only: this is none") end

local feed = require "chainlink.openresty.feed"
local options = require "chainlink.openresty.options"

local openresty = {}

local feeds = {} -- by the names of their dictionaries

--- Starts a feed in this worker; in init_worker_by_lua. Wrong options, and a dictionary that is too small, raise a
--- ConfigError.
function openresty.new(given)
  local values = options.read(given)
  if feeds[values.name] then
    errors.raise("ConfigError", ("lua_shared_dict %s has a feed already"):format(values.name))
  end
  feeds[values.name] = feed.start(values)
  return feeds[values.name]
end

local function runs_elsewhere(name)
  local dict = type(name) == "string" and ngx.shared[name]
  return dict and (dict:get "chainlink:leader" or dict:get "chainlink:0:leader")
end

--- The feed of that lua_shared_dict; in any phase of a worker.
function openresty.get(name)
  if feeds[name] then return feeds[name] end
  errors.raise("ConfigError", ("this Lua state has no feed %s%s"):format(errors.describe(name),
    runs_elsewhere(name) and ": lua_code_cache is off, so that each request has a state of its own"
      or "; make it in init_worker_by_lua"))
end

return openresty
