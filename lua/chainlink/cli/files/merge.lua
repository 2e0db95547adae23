-- SPDX-License-Identifier: MIT
-- Several files of reports as one, in the order of chainlink.order, each report once. A file that is in that order
-- takes the memory of one report; of another one so many wait for those that belong before them.

local files = require "chainlink.cli.files"
local order = require "chainlink.order"

local merge = { window = 16384 } -- reports

-- ---- a heap: the first by the order is the first ----

local function sink(heap, entry, size)
  local place = 1
  while true do
    local child = 2 * place
    if child > size then break end
    if child < size and order.before(heap[child + 1], heap[child]) then child = child + 1 end
    if not order.before(heap[child], entry) then break end
    heap[place], place = heap[child], child
  end
  heap[place] = entry
end

local function rise(heap, entry, place)
  while place > 1 do
    local parent = math.floor(place / 2)
    if not order.before(entry, heap[parent]) then break end
    heap[place], place = heap[parent], parent
  end
  heap[place] = entry
end

-- Takes the first.
local function take(heap)
  local first, size = heap[1], #heap
  local last = table.remove(heap)
  if size > 1 then sink(heap, last, size - 1) end
  return first
end

-- ---- one file ----

--- What of a file is wanted: filter = {from=, to= (seconds), feeds= (by id)}, each optional.
local function wants(filter, report)
  local second = report.observations_timestamp
  return (not filter.from or second >= filter.from) and (not filter.to or second <= filter.to)
    and (not filter.feeds or filter.feeds[report.feed_id])
end

-- A function that answers the wanted entries as they come, and one that ends it.
local function entries(path, filter, complain)
  local next_report, close = files.read(path, complain)
  return function()
    while true do
      local report, name = next_report()
      if not report then return nil end
      if wants(filter, report) then
        local entry = order.entry(report)
        entry.name = name
        return entry
      end
    end
  end, close
end

-- The same in order, if what is out of place is so by less than the window.
local function in_order(next_entry, path)
  local heap, last, is_over = {}, nil, false
  return function()
    while not is_over and #heap < merge.window do
      local entry = next_entry()
      if entry then rise(heap, entry, #heap + 1) else is_over = true end
    end
    local first = take(heap)
    if first and last and order.before(first, last) then
      error(("%s is out of order by %d reports or more: convert it into .sqlite first, which takes any order"):format(
        path, merge.window), 0)
    end
    last = first
    return first
  end
end

--- Reads a file to its end: {path=, count=, first= and last= entries, is_sorted=, feeds= by id, names= by id}.
function merge.survey(path, filter, complain)
  local found = { path = path, count = 0, is_sorted = true, feeds = {}, names = {} }
  local next_entry, close = entries(path, filter, complain)
  local before
  for entry in next_entry do
    if before and order.before(entry, before) then found.is_sorted = false end
    if not found.first or order.before(entry, found.first) then found.first = entry end
    found.count, found.feeds[entry.id] = found.count + 1, true
    found.names[entry.id] = found.names[entry.id] or entry.name
    before = entry
  end
  close()
  return found
end

-- ---- several ----

-- Opens those that begin before what is next.
local function open_due(self)
  while self.waiting[1] and not (self.first and order.before(self.first.entry, self.waiting[1].first)) do
    local source = table.remove(self.waiting, 1)
    local next_entry, close = entries(source.path, self.filter)
    if not source.is_sorted then next_entry = in_order(next_entry, source.path) end
    local reader = { next = next_entry, close = close, number = source.number, entry = next_entry() }
    if reader.entry then table.insert(self.open, reader) else close() end
    self:choose()
  end
end

local Merge = {}
Merge.__index = Merge

-- The reader whose report is next; of the same report, that of the file that was named first.
function Merge:choose()
  self.first = nil
  for _, reader in ipairs(self.open) do
    local best = self.first
    if not best or order.before(reader.entry, best.entry)
      or (not order.before(best.entry, reader.entry) and reader.number < best.number) then
      self.first = reader
    end
  end
end

local function move_on(self)
  local reader = self.first
  reader.entry = reader.next()
  if not reader.entry then
    reader.close()
    for place, other in ipairs(self.open) do
      if other == reader then table.remove(self.open, place) break end
    end
  end
  self:choose()
end

--- A function that answers the entries {report=, name=} of what was surveyed.
function merge.read(surveys, filter)
  local self = setmetatable({ filter = filter, waiting = {}, open = {} }, Merge)
  for number, found in ipairs(surveys) do
    found.number = number
    if found.count > 0 then table.insert(self.waiting, found) end
  end
  table.sort(self.waiting, function(a, b)
    if order.before(a.first, b.first) or order.before(b.first, a.first) then return order.before(a.first, b.first) end
    return a.number < b.number
  end)
  local last
  return function()
    while true do
      open_due(self)
      if not self.first then return nil end
      local entry = self.first.entry
      move_on(self)
      if not (last and order.same(entry, last)) then
        last = entry
        return entry
      end
    end
  end
end

--- The same in whatever order: all entries of one file after the other.
function merge.concatenate(paths, filter, complain)
  local place, next_entry, close = 0, nil, nil
  return function()
    while true do
      local entry = next_entry and next_entry()
      if entry then return entry end
      if close then close() end
      place = place + 1
      if not paths[place] then return nil end
      next_entry, close = entries(paths[place], filter, complain)
    end
  end
end

return merge
