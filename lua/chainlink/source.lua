-- SPDX-License-Identifier: MIT
-- Reports from elsewhere than the service, as streams. Each kind comes with the rock chainlink-streams-relay.

local errors = require "chainlink.errors"

local source = {}

local function load(name)
  local module = "chainlink.source." .. name
  local ok, opened = pcall(require, module)
  if ok then return opened end
  errors.raise("ConfigError", ("%s comes with the rock chainlink-streams-relay, and cannot be loaded: %s"):format(
    module, tostring(opened):match "^[^\n]*"))
end

--- What a relay has put into Redis (docs/relay.md). -> source | nil, err
function source.redis(options)
  return load "redis"(options)
end

--- What a relay has put into Kafka. -> source | nil, err
function source.kafka(options)
  return load "kafka"(options)
end

return source
