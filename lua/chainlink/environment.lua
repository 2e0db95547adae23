-- SPDX-License-Identifier: MIT
-- What the environment says of a client: credentials and endpoints, under the names that people use.

local check = require "chainlink.check"
local errors = require "chainlink.errors"

local environment = {}

-- An option, and the variables that may have it.
local variables = {
  { "api_key", "CHAINLINK_STREAMS_API_KEY", "STREAMS_API_KEY", "DATA_STREAMS_API_KEY",
    "CHAINLINK_DATA_STREAMS_API_KEY" },
  { "api_secret", "CHAINLINK_STREAMS_API_SECRET", "CHAINLINK_STREAMS_USER_SECRET", "STREAMS_API_SECRET",
    "STREAMS_USER_SECRET", "DATA_STREAMS_API_SECRET", "DATA_STREAMS_USER_SECRET", "CHAINLINK_DATA_STREAMS_API_SECRET",
    "CHAINLINK_DATA_STREAMS_USER_SECRET" },
  { "network", "CHAINLINK_STREAMS_NETWORK" },
  { "rest_url", "CHAINLINK_STREAMS_REST_URL", "STREAMS_REST_URL", "DATA_STREAMS_REST_URL", endpoint = true },
  { "ws_url", "CHAINLINK_STREAMS_WS_URL", "STREAMS_WS_URL", "DATA_STREAMS_WS_URL", endpoint = true },
  { "price_url", "CHAINLINK_STREAMS_PRICE_URL", endpoint = true },
}

-- The only value that these variables have, and the first one that has it; several values contradict each other.
local function read(row)
  local value, found
  for i = 2, #row do
    local other = os.getenv(row[i])
    if other and other ~= "" then
      if value and other ~= value then
        errors.raise("ConfigError", ("the environment variables %s and %s differ: unset one, or make them equal")
          :format(found, row[i]))
      end
      value, found = value or other, found or row[i]
    end
  end
  return value, found
end

--- The options given, and under them what the environment says; a profile outweighs it as a whole.
--- -> options, {api_key= the variable that has it, api_secret=}
function environment.collect(given)
  local options, found = {}, {}
  check.options(given)
  for name, value in pairs(given or {}) do options[name] = value end
  if options.profile ~= nil then return options, found end
  local network_given = options.network ~= nil -- in the program: outweighs endpoints in the environment
  for _, row in ipairs(variables) do
    local name = row[1]
    if options[name] == nil and not (row.endpoint and network_given) then options[name], found[name] = read(row) end
  end
  local ca_file = os.getenv "CHAINLINK_STREAMS_CA_FILE"
  if ca_file and ca_file ~= "" and options.tls == nil then options.tls = { ca_file = ca_file } end
  return options, found
end

--- As collect; without credentials it raises.
function environment.options(given)
  local options = environment.collect(given)
  for i = 1, options.profile == nil and 2 or 0 do
    local row = variables[i]
    if options[row[1]] == nil then
      errors.raise("ConfigError", ("option '%s' is required: set the environment variable %s"):format(row[1], row[2]))
    end
  end
  return options
end

return environment
