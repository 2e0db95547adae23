-- SPDX-License-Identifier: MIT
-- A client of the engine for requests that are not signed.

local core = require "chainlink.core"
local config = require "chainlink.config"
local errors = require "chainlink.errors"
local events = require "chainlink.events"
local waiting = require "chainlink.waiting"

local anonymous = {}

--- Options are a client's without credentials; an error of `rest_url` calls it `url_name`. Wrong ones raise.
--- -> the client, the table that its calls are finished with, and what the engine was given
function anonymous.open(options, url_name)
  options.api_key, options.api_secret = "none", "none" -- the engine wants some, and does not use them
  local engine, values, warnings = config.client(options)
  local ok, client, err = pcall(core.client, engine)
  if not ok then err = client end
  if ok and client then
    local state = { wait = waiting.by(values.loop).wait, logger = values.logger, log_level = values.log_level,
      on_response = values.on_response }
    for _, warning in ipairs(warnings) do events.log(state, "warn", warning) end
    return client, state, engine
  end
  if not errors.is_error(err) then error(err, 0) end
  err.message = err.message:gsub("rest_url", url_name)
  errors.throw(err)
end

return anonymous
