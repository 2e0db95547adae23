-- SPDX-License-Identifier: MIT
-- What somebody may have meant who mistyped a word: pure, and bounded, whatever the word is.

local suggest = {}

local MAX_BYTES = 64 -- of a word that is looked at
local MAX_SUGGESTED = 3
local MIN_PREFIX = 2

-- The next row of the table of distances: of a's first i bytes to b's first 0, 1, 2 … `before` and `earlier` are the
-- rows of i - 1 and i - 2.
local function next_row(a, b, i, before, earlier)
  local row = { [0] = i }
  for j = 1, #b do
    local same = a:byte(i) == b:byte(j)
    local least = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (same and 0 or 1))
    if earlier and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
      least = math.min(least, earlier[j - 2] + 1)
    end
    row[j] = least
  end
  return row
end

--- How many bytes must be inserted, left out, replaced, or swapped with their neighbour to make b of a.
function suggest.distance(a, b)
  local earlier, row = nil, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do earlier, row = row, next_row(a, b, i, row, earlier) end
  return row[#b]
end

-- How far a candidate is from the word; nil: too far to be meant. One that begins with the word is nearly it.
local function nearness(word, candidate)
  if #candidate > MAX_BYTES then return nil end
  if #word >= MIN_PREFIX and candidate:sub(1, #word) == word then return 0.5 end
  local allowed = math.max(1, math.floor(#word / 4))
  if math.abs(#candidate - #word) > allowed then return nil end
  local distance = suggest.distance(word, candidate)
  if distance > allowed or distance >= #word then return nil end
  return distance
end

--- The candidates that the word may stand for, in capitals or not: those that are nearest, three at most, in the order
--- of the alphabet. Each once; what is no text is passed over.
function suggest.nearest(word, candidates)
  if #word > MAX_BYTES then return {} end
  local found, least, seen = {}, math.huge, {}
  for _, candidate in ipairs(candidates) do
    local distance = type(candidate) == "string" and not seen[candidate] and nearness(word:lower(), candidate:lower())
    if distance then
      if distance < least then found, least = {}, distance end
      if distance == least then found[#found + 1] = candidate end
      seen[candidate] = true
    end
  end
  table.sort(found)
  for i = #found, MAX_SUGGESTED + 1, -1 do found[i] = nil end
  return found
end

--- "did you mean ETH/USD or ETH/EUR?", with something before each; nil when nothing is near.
function suggest.question(word, candidates, before)
  local found = suggest.nearest(word, candidates)
  if #found == 0 then return nil end
  for i, name in ipairs(found) do found[i] = (before or "") .. name end
  local last = table.remove(found)
  return ("did you mean %s%s?"):format(#found > 0 and table.concat(found, ", ") .. " or " or "", last)
end

return suggest
