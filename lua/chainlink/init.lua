-- SPDX-License-Identifier: MIT
-- chainlink: a client for Chainlink Data Streams. docs/api.md describes it; types/chainlink.lua tells editors.

local core = require "chainlink.core"
local check = require "chainlink.check"
local errors = require "chainlink.errors"
local later = require "chainlink.later"
local client, config = later "chainlink.client", later "chainlink.config"
local discovery = later "chainlink.discovery"
require "chainlink.report"

local chainlink = { _VERSION = core.version, _NAME = "chainlink" }

--- A client; options as in docs/api.md.
function chainlink.client(options)
  return client.new(options)
end

--- A client whose credentials and endpoints come from the environment (CHAINLINK_STREAMS_API_KEY, …_API_SECRET,
--- …_REST_URL, …_WS_URL, …_CA_FILE, …_NETWORK); options given here win.
function chainlink.client_from_env(overrides)
  return client.new(config.from_environment(overrides))
end

--- The feeds of the service's catalogue that are listed publicly, without credentials: filters, and `network` and other
--- options of a client (docs/api.md). -> {{id=, name=, …}, …} | nil, err
function chainlink.discover(options)
  return discovery.public(options)
end

--- A Report from a full report: hex text with or without 0x, or the bytes. -> report | nil, DecodeError
function chainlink.decode(full_report)
  if type(full_report) ~= "string" then
    errors.raise("ConfigError", "full_report must be a text of hex or bytes, got " .. errors.describe(full_report))
  end
  return core.decode(full_report)
end

local function compressor(name)
  return function(bytes)
    if type(bytes) ~= "string" then
      errors.raise("ConfigError", "bytes must be a string, got " .. errors.describe(bytes))
    end
    return core[name](bytes)
  end
end

--- Snappy's block format of some bytes, and back. -> bytes | nil, err: a ConfigError in a build without libsnappy.
chainlink.compress = compressor "compress"
chainlink.decompress = compressor "decompress"

--- The version of the report schema that a feed uses, 0 to 4095.
function chainlink.feed_version(feed_id)
  local _, version = core.feed_id(check.feed_id(feed_id, "feed_id"))
  return version
end

--- The unit of the times in a feed's reports: "s", "ms", or nil where the id names another one.
function chainlink.feed_resolution(feed_id)
  local _, _, resolution = core.feed_id(check.feed_id(feed_id, "feed_id"))
  return resolution
end

--- Is the value an error of this module (of that kind)?
function chainlink.is_error(value, kind)
  return errors.is_error(value) and (kind == nil or value:is(kind))
end

-- Loaded when they are first asked for.
local parts = {
  --- The report schemas by version: {version=, name=, price=, fields={{name=, abi_name=, type=, unit=, decimals=,
  --- meaning=}, …}}. chainlink.schemas:register adds one.
  schemas = "chainlink.schemas",
  --- chainlink.signers{["0x<config digest>"] = {signers={…}, f=}, …} -> a registry to verify reports by;
  --- chainlink.signers.from_file(path) reads one.
  signers = "chainlink.signers",
  --- chainlink.replay(path, options): a recording as a stream (docs/recordings.md).
  replay = "chainlink.replay",
  --- chainlink.bars{interval=}, chainlink.twap{window=}, chainlink.guard{…}: bars, averages and guards over sources of
  --- reports (docs/bars.md).
  bars = "chainlink.bars",
  twap = "chainlink.twap",
  guard = "chainlink.guard",
  --- chainlink.source.redis{url=, feeds=}: what a relay has put into Redis, as a stream (docs/relay.md).
  source = "chainlink.source",
  --- chainlink.onchain{rpc_url=, verifier_proxy= or network=}: verification by a chain (docs/onchain.md).
  onchain = "chainlink.onchain",
}

local function load_part(module, name)
  if not parts[name] then return nil end
  local part = require(parts[name])
  rawset(module, name, part)
  return part
end

-- Lua 5.2 and later: all there is.
local function all(module)
  for name in pairs(parts) do load_part(module, name) end
  return next, module
end

return setmetatable(chainlink, { __index = load_part, __pairs = all })
