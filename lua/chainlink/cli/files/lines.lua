-- SPDX-License-Identifier: MIT
-- A file of lines in the order of time, a head first, that is appended to; what a break has left of it is gone on with.
-- The file itself is all the state that there is: the last second in it may lack something, so its lines are taken away
-- and got again, and with them a last line that was cut.

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local BLOCK = 65536
local FLUSH_SECONDS = 1

local lines = {}
local Lines = {}
Lines.__index = Lines

local function fail(path, reason)
  error(errors.new("FileError", ("%s %s"):format(path, reason)), 0)
end

local function check(self, done, reason)
  if not done then fail(self.path, "cannot be written: " .. tostring(reason)) end
end

--- Before the first line, and not earlier, what may not be whole is taken away: there is something in its place then.
function Lines:write(line)
  if self.whole then
    check(self, core.file_cut(self.file, self.whole))
    self.file:seek "end"
    self.whole = nil
  end
  check(self, self.file:write(line, "\n"))
end

local function read_part(file, start, stop)
  file:seek("set", start)
  return start < stop and file:read(stop - start) or ""
end

-- Where the last line ends that has a newline.
local function end_of_whole(file, size)
  local stop = size
  while stop > 0 do
    local start = math.max(0, stop - BLOCK)
    local newline = read_part(file, start, stop):match "^.*()\n"
    if newline then return start + newline end
    stop = start
  end
  return 0
end

-- {start, text} of the lines of a part of the file.
local function split(text, start)
  local list = {}
  for place, line in text:gmatch "()([^\n]*)\n" do list[#list + 1] = { start = start + place - 1, text = line } end
  return list
end

-- Of the lines between `first` and `stop`: the last second, and where its lines begin.
local function last_second(self, first, stop, second_of)
  local length = BLOCK
  while true do
    local start = math.max(first, stop - length)
    local text = read_part(self.file, start, stop)
    local whole = start == first and 1 or text:find("\n", 1, true) + 1
    local list = split(text:sub(whole), start + whole - 1)
    local second = list[1] and second_of(list[#list].text)
    if list[1] and not second then fail(self.path, "has a last line that cannot be read") end
    for i = #list, 1, -1 do
      if second_of(list[i].text) ~= second then return second, list[i + 1].start end
    end
    if start == first then return second, list[1] and list[1].start or first end
    length = 2 * length
  end
end

-- Finds out how much is whole, beside the last second.
local function look(self, size, options)
  local stop = end_of_whole(self.file, size)
  self.file:seek("set", 0)
  local head = stop > 0 and self.file:read "*l"
  if head then
    local good, reason = options.accepts(head)
    if not good then fail(self.path, reason) end
    self.last, stop = last_second(self, #head + 1, stop, options.second_of)
  end
  self.whole = stop
  return head
end

-- Of the file that was opened: locks it, and makes it ready to go on.
local function begin(self, options)
  if not core.file_lock(self.file) then fail(self.path, "is being written by another process") end
  local size, reason = self.file:seek "end"
  check(self, size, reason)
  if size > 0 and not options.resume then fail(self.path, "is there already: --resume goes on with it") end
  local has_head = size > 0 and look(self, size, options)
  if not has_head then self:write(options.head) end
end

--- Opens the file, or makes it. options: head, resume, accepts(head) -> true | nil, reason, second_of(line) -> its
--- second. Its `last` is the second that is to be got again, nil where none is. What fails is raised.
function lines.open(path, options)
  local file, reason = io.open(path, "a+b")
  if not file then fail(path, "cannot be opened: " .. reason) end
  local self = setmetatable({ path = path, file = file, due = 0 }, Lines)
  local good, err = pcall(begin, self, options)
  if good then return self end
  file:close()
  error(err, 0)
end

--- Whole seconds are in it now: writes what waits for it, unless that was done just before.
function Lines:settle()
  local now = core.monotonic()
  if now < self.due then return end
  self.due = now + FLUSH_SECONDS
  check(self, self.file:flush())
end

function Lines:close()
  check(self, self.file:close())
end

return lines
