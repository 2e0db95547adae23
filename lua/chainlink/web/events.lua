-- SPDX-License-Identifier: MIT
-- Server-sent events for any number of readers. The newest are kept, so that who was away for a while misses none.
--   id: a number that grows, also from one run to the next   event: report, state or lost   data: one JSON object

local core = require "chainlink.core"

local events = {}
local Events = {}
Events.__index = Events

local KEPT_BYTES = 512 * 1024 -- half of what the server lets wait for one reader
local QUIET_SECONDS = 15      -- then a comment tells both ends that the other one is there

function events.new()
  local id = math.floor(core.time() * 1000)
  return setmetatable({ id = id, first = id + 1, kept = {}, bytes = 0, newest = {}, readers = {}, sent_at = 0 }, Events)
end

local function send_to_all(self, text)
  self.sent_at = core.monotonic()
  for reader in pairs(self.readers) do
    if not reader(text) then self.readers[reader] = nil end
  end
end

local function keep(self, text)
  self.kept[self.id], self.bytes = text, self.bytes + #text
  while self.bytes > KEPT_BYTES do
    self.bytes = self.bytes - #(self.kept[self.first] or "")
    self.kept[self.first] = nil
    self.first = self.first + 1
  end
end

--- Tells an event: event and key are short names, json one JSON object. Of those with the same key (a feed's reports,
--- say) the newest is kept for who comes later; all of them, as far as there is room, if `all` is true.
function Events:tell(event, key, json, all)
  self.id = self.id + 1
  local text = ("id: %.0f\nevent: %s\ndata: %s\n\n"):format(self.id, event, json)
  self.newest[key] = { id = self.id, text = text }
  if all then keep(self, text) end
  send_to_all(self, text)
end

-- All that is kept from this id on, and the newest of each key.
local function since(self, from)
  local found, parts = {}, {}
  for _, newest in pairs(self.newest) do
    if newest.id >= from and not self.kept[newest.id] then found[#found + 1] = newest end
  end
  for id = math.max(from, self.first), self.id do
    if self.kept[id] then found[#found + 1] = { id = id, text = self.kept[id] } end
  end
  table.sort(found, function(a, b) return a.id < b.id end)
  for i, event in ipairs(found) do parts[i] = event.text end
  return table.concat(parts)
end

local MISSED = 'event: lost\ndata: {"reason":"this page was away for longer than events are kept"}\n\n'

--- A reader that had `resume` (text, "" for none) last: it is sent what came since, else what there is. reader(text) is
--- false once it takes no more.
function Events:join(reader, resume)
  local last = tonumber(resume:match "^%d+$")
  local is_known = last and last <= self.id
  local from = is_known and last + 1 or 0
  local text = "retry: 1000\n\n" .. (is_known and from < self.first and MISSED or "") .. since(self, from)
  if reader(text) then self.readers[reader] = true end
end

--- To be called now and then.
function Events:keep_alive()
  if core.monotonic() - self.sent_at >= QUIET_SECONDS then send_to_all(self, ": still here\n\n") end
end

return events
