-- SPDX-License-Identifier: MIT
-- Waits for a call of the engine.

local core = require "chainlink.core"
local events = require "chainlink.events"
local json = require "chainlink.later" "chainlink.json"

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
  local result, status, more = core.call_result(handle)
  core.call_free(handle)
  return result, status, more
end

-- Adds the service's own words to the message of an error answer.
local function explain(err)
  local body = err.body and json.decode(err.body)
  if type(body) ~= "table" then return err end
  local words = body.message or body.error or body.errmsg
  if type(words) == "table" then words = words.message end
  if type(words) ~= "string" or words == "" then return err end
  words = words:gsub("%c", " "):gsub("\194[\128-\159]", " "):sub(1, 200) -- the latter drive terminals too
  if not err.message:find(words, 1, true) then err.message = err.message .. ": " .. words end
  return err
end

--- As finish; an error answer's message has the service's own words too.
function call.explained(state, handle)
  local result, status, more = call.finish(state, handle)
  if not result then return nil, explain(status) end
  return result, status, more
end

return call
