-- SPDX-License-Identifier: MIT
-- Server-sent events for any number of readers: reports, of which the newest are kept, so that who was away for a while
-- misses none; and facts, which hold until others of their key come.

local core = require "chainlink.core"
local sse = require "chainlink.web.sse"

local events = {}
local Events = {}
Events.__index = Events

local KEPT_BYTES = 512 * 1024 -- half of what the server lets wait for one reader

function events.new()
  return setmetatable({ epoch = ("%x"):format(core.time() * 1000), number = 0, first = 1, kept = {}, bytes = 0,
    newest = {}, facts = {}, places = {}, readers = {}, sent_at = 0 }, Events)
end

local function send_to_all(self, text)
  self.sent_at = core.monotonic()
  for reader in pairs(self.readers) do
    if not reader(text) then self.readers[reader] = nil end
  end
end

local function keep(self, text)
  self.kept[self.number], self.bytes = text, self.bytes + #text
  while self.bytes > KEPT_BYTES do
    self.bytes = self.bytes - #self.kept[self.first]
    self.kept[self.first] = nil
    self.first = self.first + 1
  end
end

--- A report as JSON. The newest of each feed is kept in any case.
function Events:report(feed_id, json)
  self.number = self.number + 1
  local text = sse.report(self.epoch, self.number, json)
  self.newest[feed_id] = { number = self.number, text = text }
  keep(self, text)
  send_to_all(self, text)
end

--- What holds from now on: name is the event's; json one JSON object.
function Events:fact(name, key, json)
  local text = sse.event(name, json)
  local place = self.places[key] or #self.facts + 1
  self.places[key], self.facts[place] = place, text
  send_to_all(self, text)
end

-- All that is kept behind this number, and the newest of each feed if that is behind it too.
local function after(self, number)
  local found, parts = {}, {}
  for _, newest in pairs(self.newest) do
    if newest.number > number and newest.number < self.first then found[#found + 1] = newest end
  end
  table.sort(found, function(a, b) return a.number < b.number end)
  for i, report in ipairs(found) do parts[i] = report.text end
  for i = math.max(number + 1, self.first), self.number do parts[#parts + 1] = self.kept[i] end
  return table.concat(parts)
end

--- A reader that had `resume` (its Last-Event-ID, "" for none) last: it is sent the facts, and what came since, else
--- what there is. reader(text) is false once it takes no more.
function Events:join(reader, resume)
  local had, missed = sse.resumed(sse.had(resume), self.epoch, self.first - 1, self.number)
  local text = table.concat(self.facts) .. (missed or "") .. after(self, had or 0)
  if reader(sse.hello(core.time() * 1000) .. text) then self.readers[reader] = true end
end

--- To be called now and then.
function Events:keep_alive()
  if core.monotonic() - self.sent_at >= sse.QUIET_SECONDS then send_to_all(self, sse.BEAT) end
end

return events
