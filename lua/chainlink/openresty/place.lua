-- SPDX-License-Identifier: MIT
-- How far a reader of events is: in words that another nginx understands too, whose dictionary numbers its events
-- otherwise. They are the same reports, so it is told of each feed when the newest one was observed that the reader
-- has had, and how many of that time.

local core = require "chainlink.core"

local Place = {}
Place.__index = Place

local place = {}

local MOST_FEEDS = 32 -- in an event's id, with some 20 bytes each

local LONGEST = 12 -- digits of a number that is believed

local function key_of(id) return id:sub(7, 14) end -- behind the schema's version

local function entry(self, key)
  local feed = self.feeds[key]
  if not feed then
    feed = { number = #self.parts + 1, observed = -1, count = 0 }
    self.feeds[key], self.parts[feed.number] = feed, ""
  end
  return feed
end

local function set(self, key, observed, count)
  local feed = entry(self, key)
  feed.observed, feed.count = observed, count
  self.parts[feed.number] = ("%s:%x"):format(key, observed) .. (count > 1 and "+" .. count or "")
  return feed
end

--- Where a reader is who has had nothing yet, or what `text` says: Place:text() of this nginx or another.
function place.new(text)
  local self = setmetatable({ feeds = {}, parts = {}, is_known = text ~= "" }, Place)
  for key, observed, count in (text or ""):gmatch "(%x+):(%x+)%+?(%d*)" do
    if #observed <= LONGEST and #count <= LONGEST then set(self, key, tonumber(observed, 16), tonumber(count) or 1) end
  end
  return self
end

--- For an event's id; "" where it is not known of each feed, or these are too many.
function Place:text()
  return self.is_known and #self.parts <= MOST_FEEDS and table.concat(self.parts, ".") or ""
end

--- The reader is told a report, observed then (milliseconds).
function Place:note(id, observed)
  local key = key_of(id)
  local feed = entry(self, key)
  self.is_known = self.is_known and (feed.id or id) == id
  feed.id = id
  if observed >= feed.observed then set(self, key, observed, observed == feed.observed and feed.count + 1 or 1) end
end

--- From now on the events are those of another nginx, or of a later time, from the oldest on that is kept.
function Place:move()
  for _, feed in pairs(self.feeds) do feed.before = { observed = feed.observed, count = feed.count } end
end

local function follows(event, observed)
  local is_in_ms = select(3, core.feed_id(event.id)) == "ms"
  local valid_from = event.valid_from > 0 and event.valid_from or event.observed
  return valid_from <= observed + (is_in_ms and 1 or 1000)
end

--- Is the next one of its feed's events ({id=, observed=, valid_from=}, milliseconds) news to the reader? late: as of
--- chainlink.openresty.store. Of a time of which it had some already those are told again that cannot be told apart.
--- -> is it, has the reader missed some before it?
function Place:judge(event, late)
  local feed = self.feeds[key_of(event.id)]
  local before = feed and feed.before
  if not before then return true, false end
  local observed = event.observed
  before.first = before.first or observed
  if observed > before.observed then
    feed.before = nil
    return true, before.first == observed and not follows(event, before.observed)
  end
  if late > 0 or observed < before.observed then return observed > before.observed - late, false end
  before.count = before.count - 1
  return before.first == observed or before.count < 0, false
end

return place
