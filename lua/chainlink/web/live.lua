-- SPDX-License-Identifier: MIT
-- What the live page is told beside reports: which feeds there are, and how things are, when that changes. Who passes
-- it on is given: told:fact(event, key, json), as chainlink.web.events has it.

local core = require "chainlink.core"
local text = require "chainlink.text"

local live = {}
local Live = {}
Live.__index = Live

local STATE_SECONDS = 1
local LOSS_SECONDS = 60 -- for so long a loss is told

--- verifies: are reports verified?
function live.new(told, monitor, verifies)
  return setmetatable({ told = told, monitor = monitor, verifies = verifies, names = {}, losses = {}, due = 0 }, Live)
end

local function string_of(value) return text.json_string(text.plain(value)) end

local function array(list)
  local parts = {}
  for i, item in ipairs(list) do parts[i] = type(item) == "table" and array(item) or string_of(item) end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- A feed to show; problem: why it cannot be, in words. Without an id its name stands for that.
function Live:add(id, name, problem)
  local key = id or name
  self.names[key] = name
  self.monitor:note_absent(key, problem and name)
  self.told:fact("feed", "feed " .. key, ('{"feed_id":%s,"name":%s%s}'):format(string_of(key), string_of(name),
    problem and ',"problem":' .. string_of(problem) or ""))
end

--- An event of on_status.
function Live:note(event)
  self.monitor:note(event)
  if event.state ~= "lost" then return end
  local words = (event.feed_id and (self.names[event.feed_id] or event.feed_id) .. ": " or "")
    .. (event.reason or "reports were lost")
  self.losses[#self.losses + 1] = { words = words, till = core.monotonic() + LOSS_SECONDS }
end

--- What keeps the whole from working, until there is a stream.
function Live:fail(words)
  self.monitor.why = words
  self.due = 0
end

local function figures(self)
  local stream = self.monitor.stream
  local stats = stream and stream:stats()
  if not stats then return {} end
  local list = {
    { "connections", ("%d of %d"):format(stats.active_connections, stats.configured_connections) },
    { "reports", ("%.0f"):format(stats.accepted) },
    { "gaps filled", ("%.0f of %.0f"):format(stats.gaps - stats.lost, stats.gaps) },
    { "lost", ("%.0f"):format(stats.lost) },
    { "latency", stats.latency.mean and ("%.0f ms"):format(stats.latency.mean) or "–" },
  }
  if self.verifies then list[#list + 1] = { "not verified", ("%.0f"):format(stats.unverified) } end
  return list
end

-- Each one once.
local function add_losses(self, reasons, now)
  local said = {}
  while self.losses[1] and self.losses[1].till < now do table.remove(self.losses, 1) end
  for _, loss in ipairs(self.losses) do
    if not said[loss.words] then reasons[#reasons + 1] = loss.words end
    said[loss.words] = true
  end
end

local function state_of(self, now)
  local status, reasons = self.monitor:judge()
  add_losses(self, reasons, now)
  return ('{"status":"%s","reasons":%s,"figures":%s,"verifies":%s}'):format(status, array(reasons),
    array(figures(self)), tostring(self.verifies == true))
end

--- To be called often: tells the state if a second has passed and it has changed.
function Live:tick()
  local now = core.monotonic()
  if now < self.due then return end
  self.due = now + STATE_SECONDS
  local state = state_of(self, now)
  if state ~= self.state then self.told:fact("state", "state", state) end
  self.state = state
end

return live
