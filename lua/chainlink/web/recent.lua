-- SPDX-License-Identifier: MIT
-- A feed's newest reports, as far back as they follow on each other without a hole, within so many bytes. Items are
-- {time=, valid_from=, key=, text=}: times in the feed's unit, valid_from nil where the report does not tell it; key is
-- the time's second.

local sorted = require "chainlink.sorted"

local recent = {}
local Recent = {}
Recent.__index = Recent

--- bytes: of the texts together; at least one item is kept.
function recent.new(bytes)
  return setmetatable({ items = sorted.new(), size = 0, bytes = bytes }, Recent)
end

local function drop_first(self)
  self.size = self.size - #self.items[self.items.first].text
  self.items:drop_first()
end

--- Adds the feed's next report. Behind a hole, and where none can be told from a pause, what was there is forgotten.
function Recent:add(item)
  local before = self:newest()
  if before and not (item.valid_from and item.valid_from <= before.time + 1) then
    while self.items:count() > 0 do drop_first(self) end
  end
  self.items:insert(self.items.last + 1, item)
  self.size = self.size + #item.text
  while self.size > self.bytes and self.items:count() > 1 do drop_first(self) end
end

--- -> the newest item | nil
function Recent:newest() return self.items[self.items.last] end

-- The place of the first item that is not before the second; nil when earlier ones of that second may be missing.
local function seek(self, second)
  local oldest = self.items[self.items.first]
  return oldest and second > oldest.key and self.items:place(second) or nil
end

--- The first item of a second; nil when it is not here, which says nothing of whether there is one.
function Recent:at(second)
  local item = self.items[seek(self, second) or 0]
  return item and item.key == second and item or nil
end

--- Up to `limit` items from a second on, ascending; nil when they may not be all that there are.
function Recent:page(second, limit)
  local from = seek(self, second)
  if not from then return nil end
  local items = {}
  for i = from, math.min(self.items.last, from + limit - 1) do items[#items + 1] = self.items[i] end
  return items
end

return recent
