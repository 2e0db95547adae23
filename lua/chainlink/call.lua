-- SPDX-License-Identifier: MIT
-- Waits for a call of the engine.

local core = require "chainlink.core"
local events = require "chainlink.events"

local call = {}

--- Waits through state.wait, hands events to the script's callbacks meanwhile, and frees the call.
--- -> what core.call_result gives, or nil, err
function call.finish(state, handle)
  while not core.call_done(handle) do
    events.drain(state, core.call_event, handle)
    if core.call_done(handle) then break end
    state.wait(core.call_fd(handle))
  end
  events.drain(state, core.call_event, handle)
  local result, status, next_page = core.call_result(handle)
  core.call_free(handle)
  return result, status, next_page
end

return call
