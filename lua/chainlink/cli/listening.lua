-- SPDX-License-Identifier: MIT
-- What the commands that listen for HTTP share.

local core = require "chainlink.core"
local options = require "chainlink.cli.options"
local server = require "chainlink.web.server"

local listening = {}

local TURN_SECONDS = 0.1

--- Listens on the address that --option gave; a wrong one is a usage error.
function listening.open(option, address, routes)
  local opened, reason, is_wrong = server.listen(address, routes)
  if opened then return opened end
  if is_wrong then options.usage_error("--%s: %s", option, reason) end
  error(reason, 0)
end

--- A function to call again and again: who asks is answered though reports come so fast that nothing waits.
function listening.attendant(opened)
  local due = 0
  return function()
    local now = core.monotonic()
    if now < due then return end
    opened:wait(-1, 0)
    due = now + TURN_SECONDS
  end
end

return listening
