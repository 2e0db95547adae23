-- SPDX-License-Identifier: MIT
-- Records everything that a client hands to its callbacks, for specs that look at it afterwards.

local recorder = {}
local Recorder = {}
Recorder.__index = Recorder

function recorder.new()
  return setmetatable({ logs = {}, statuses = {}, responses = {} }, Recorder)
end

--- Options of a client (or, without on_response, of a stream) that record, with the caller's on top.
function Recorder:options(more)
  local options = {
    log_level = "debug",
    logger = function(level, message, fields)
      self.logs[#self.logs + 1] = { level = level, message = message, fields = fields }
    end,
    on_status = function(event) self.statuses[#self.statuses + 1] = event end,
    on_response = function(response) self.responses[#self.responses + 1] = response end,
  }
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- The states of connections so far, in order.
function Recorder:states()
  local states = {}
  for _, event in ipairs(self.statuses) do
    if not event.feed_id then states[#states + 1] = event.state end
  end
  return states
end

--- The first status event of a state, after the first `skip` ones.
function Recorder:status(state, skip)
  for i = (skip or 0) + 1, #self.statuses do
    if self.statuses[i].state == state then return self.statuses[i] end
  end
end

--- The first log line that contains the text.
function Recorder:log(text)
  for _, entry in ipairs(self.logs) do
    if entry.message:find(text, 1, true) then return entry end
  end
end

local function append(out, value, depth)
  if type(value) == "table" and depth < 6 then
    for key, member in pairs(value) do
      append(out, key, depth + 1)
      append(out, member, depth + 1)
    end
  end
  out[#out + 1] = tostring(value)
end

--- All text in the given values, tables searched through, one piece a line.
function recorder.text_of(...)
  local out = {}
  for i = 1, select("#", ...) do append(out, (select(i, ...)), 0) end
  return table.concat(out, "\n")
end

--- All that was recorded, as text.
function Recorder:text()
  return recorder.text_of(self.logs, self.statuses, self.responses)
end

return recorder
