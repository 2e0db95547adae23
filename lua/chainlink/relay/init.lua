-- SPDX-License-Identifier: MIT
-- The relay: what a stream gives goes where a sink puts it, until the stream fails. It keeps nothing itself: what is
-- there already tells where it goes on.

local core = require "chainlink.core"

local relay = {}

local BATCH = 256 -- reports that are added together at most
local LONGEST_HOLE = 3600 -- seconds of the past that are asked for again

-- The second to begin with: that of the feed which is furthest behind, so far as it can be had; nil: with what comes.
local function start_of(newest)
  local first
  for _, ms in pairs(newest) do first = math.min(first or ms, ms) end
  return first and math.floor(math.max(first / 1000, core.time() - LONGEST_HOLE))
end

local Pump = {}
Pump.__index = Pump

-- What was lost between the newest report that is there and where the stream began, by the first report behind it.
local function lost_before(self, report, before)
  if not before or not self.start or before >= self.start * 1000 then return nil end
  local valid_from = report.valid_from_timestamp_ms
  if not valid_from or valid_from <= before + 1000 then return nil end
  return ("%.0f %.0f"):format(before + 1, valid_from - 1)
end

-- A range that the stream has told as lost goes with the feed's next report.
function Pump:lose(feed, from, to)
  local earlier = self.lost[feed]
  self.lost[feed] = ("%s %.0f"):format(earlier and earlier:match "^%d+" or ("%.0f"):format(from), to or from)
end

function Pump:put(batch, report)
  local feed, time = report.feed_id, report.observations_timestamp_ms
  if not time then return end -- of a schema that does not tell it
  local lost = self.lost[feed]
  if not self.begun[feed] then lost = lost_before(self, report, self.before[feed]) or lost end
  self.begun[feed], self.lost[feed] = true, nil
  batch[feed] = batch[feed] or {}
  table.insert(batch[feed], { report = report, before = self.before[feed], lost = lost })
  self.before[feed] = math.max(self.before[feed] or 0, time)
end

-- The next reports, by feed; waits for the first. -> reports, what ended the stream
function Pump:take(stream)
  local batch = {}
  local report, err = stream:read()
  for _ = 1, BATCH do
    if not report then break end
    self:put(batch, report)
    report, err = stream:poll()
  end
  if report then self:put(batch, report) end
  return batch, err
end

local function count(totals, counts)
  for name, number in pairs(counts) do totals[name] = totals[name] + number end
end

-- One stream, until what is there is found to be less than it was.
local function pump(self, stream, sink, totals, on_batch)
  repeat
    local batch, err = self:take(stream)
    local counts = sink:add(batch)
    count(totals, counts)
    if on_batch then on_batch(totals) end
    if err then error(err, 0) end
  until counts.behind > 0
end

--- Relays the feeds' reports from the client to the sink, which has `newest` and `add` as relay/sink.lua does. Does not
--- return: raises what ended the stream, or the sink's refusal. options: on_status, log(level, words),
--- on_batch(totals).
function relay.start(client, feeds, sink, options)
  local totals = { added = 0, known = 0, late = 0, old = 0, behind = 0 }
  while true do
    local newest = sink:newest(feeds)
    local self = setmetatable({ before = newest, start = start_of(newest), begun = {}, lost = {} }, Pump)
    local stream, err = client:stream(feeds, { start = self.start, on_status = function(event)
      if event.state == "lost" and event.from_ms then self:lose(event.feed_id, event.from_ms, event.to_ms) end
      if options.on_status then options.on_status(event) end
    end })
    if not stream then error(err, 0) end
    local ok, failure = pcall(pump, self, stream, sink, totals, options.on_batch)
    stream:close()
    if not ok then error(failure, 0) end
    options.log("warn", "reports that were there are gone: going on from what is left")
  end
end

return relay
