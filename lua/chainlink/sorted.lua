-- SPDX-License-Identifier: MIT
-- A list in ascending order of its items' `key`, which grows mostly at its end and shrinks at its beginning: its items
-- are self[self.first] to self[self.last].

local sorted = {}

local methods = {}
local Sorted = { __index = methods }

function sorted.new()
  return setmetatable({ first = 1, last = 0 }, Sorted)
end

function methods.count(self)
  return self.last - self.first + 1
end

--- The first place whose key is not below this one; behind the end when there is none.
function methods.place(self, key)
  local low, high = self.first, self.last + 1
  if low == high or self[high - 1].key < key then return high end
  while low < high do
    local middle = math.floor((low + high) / 2)
    if self[middle].key < key then low = middle + 1 else high = middle end
  end
  return low
end

function methods.insert(self, place, item)
  for i = self.last, place, -1 do self[i + 1] = self[i] end
  self[place], self.last = item, self.last + 1
end

--- Takes out the items from one place to another.
function methods.remove(self, from, to)
  local count = to - from + 1
  if count <= 0 then return end
  for i = to + 1, self.last do self[i - count] = self[i] end
  for i = self.last - count + 1, self.last do self[i] = nil end
  self.last = self.last - count
end

function methods.drop_first(self)
  self[self.first] = nil
  self.first = self.first + 1
end

return sorted
