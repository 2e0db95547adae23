-- SPDX-License-Identifier: MIT
-- How far a long run is, on standard error: one line that changes on a terminal, else a line now and then.

local core = require "chainlink.core"
local time = require "chainlink.time"

local ON_TERMINAL, ELSEWHERE = 0.25, 30 -- seconds from one line to the next

local progress = {}
local Progress = {}
Progress.__index = Progress

--- Of the seconds `from` to `to`; those before `start` are there. Without a word if it is to be quiet.
function progress.new(from, to, start, is_quiet)
  local is_terminal, now = core.isatty(2), core.monotonic()
  return setmetatable({ from = from, to = to, start = start, is_quiet = is_quiet, is_terminal = is_terminal,
    begun = now, count = 0,
    pause = is_terminal and ON_TERMINAL or ELSEWHERE, due = now + (is_terminal and 0 or ELSEWHERE) }, Progress)
end

local function duration(seconds)
  if seconds < 60 then return ("%.0fs"):format(seconds) end
  if seconds < 3600 then return ("%dm%02ds"):format(math.floor(seconds / 60), math.floor(seconds % 60)) end
  return ("%dh%02dm"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

--- The line, when `second` of the range has been reached.
function Progress:line(second, holes, now)
  local elapsed = math.max(now - self.begun, 1e-3)
  local share = math.min(1, (second - self.from + 1) / (self.to - self.from + 1))
  local left = elapsed * (self.to - second) / (second - self.start + 1)
  return ("%s  %.0f %%  %.0f reports, %.0f/s, %s left, %.0f holes"):format(
    time.text(second):gsub("T", " "):gsub("Z", ""), math.floor(share * 100), self.count, self.count / elapsed,
    duration(left), holes)
end

--- One more report, of that second.
function Progress:note(second, holes)
  self.count = self.count + 1
  local now = core.monotonic()
  if self.is_quiet or now < self.due then return end
  self.due = now + self.pause
  local line = self:line(second, holes, now)
  if not self.is_terminal then io.stderr:write("# ", line, "\n")
  else io.stderr:write("\r\27[?7l", line, "\27[K\27[?7h") end -- cut where the terminal ends, not wrapped
end

--- Takes the line away.
function Progress:close()
  if self.is_terminal and not self.is_quiet then io.stderr:write "\r\27[K" end
end

return progress
