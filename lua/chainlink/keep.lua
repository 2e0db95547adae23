-- SPDX-License-Identifier: MIT
-- Answers that may be kept for a while: few, and not many bytes. The time is the caller's.

local keep = {}

local MAX_ANSWERS = 16
local MAX_BYTES = 2 ^ 24 -- as many as one answer may have

local Keep = {}
Keep.__index = Keep

function keep.new()
  return setmetatable({ answers = {}, bytes = 0 }, Keep)
end

local function remove(self, place)
  local gone = table.remove(self.answers, place)
  self.bytes = self.bytes - #gone.text
end

--- The text under this key, nil when there is none that is still good.
function Keep:get(key, now)
  for place = #self.answers, 1, -1 do
    if self.answers[place].good_until <= now then remove(self, place) end
  end
  for _, answer in ipairs(self.answers) do
    if answer.key == key then return answer.text end
  end
end

--- Keeps the text for so many seconds; the oldest make room.
function Keep:put(key, text, seconds, now)
  for place, answer in ipairs(self.answers) do
    if answer.key == key then remove(self, place) end
  end
  if seconds <= 0 or #text > MAX_BYTES then return end
  while #self.answers >= MAX_ANSWERS or self.bytes + #text > MAX_BYTES do remove(self, 1) end
  self.answers[#self.answers + 1] = { key = key, text = text, good_until = now + seconds }
  self.bytes = self.bytes + #text
end

return keep
