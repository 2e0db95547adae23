-- SPDX-License-Identifier: MIT
-- Standard output, or the file in its place, of which each write is checked, and words on standard error.

local core = require "chainlink.core"
local text = require "chainlink.text"

local output = {}

local EPIPE = 32

--- Raised to end the command without a word: whoever read the output has gone.
output.CLOSED = {}

local sink, name = io.stdout, "the output"

local function check(done, reason, code)
  if done then return end
  if code == EPIPE then error(output.CLOSED, 0) end
  error(("cannot write %s: %s"):format(name, reason), 0)
end

--- What is printed from now on goes to this file handle, of that name; without them to standard output again.
function output.redirect(handle, path)
  sink, name = handle or io.stdout, path or "the output"
end

--- Writes lines; a disk that is full is an error, now or when they are flushed.
function output.print(...)
  for i = 1, select("#", ...) do check(sink:write((select(i, ...)), "\n")) end
end

--- Writes a text as it is.
function output.write(value)
  check(sink:write(value))
end

function output.flush()
  check(sink:flush())
end

--- One message on standard error, without what could steer the terminal.
function output.note(message, ...)
  io.stderr:write("chainlink-streams: ", text.plain(message:format(...)), "\n")
end

--- A line on standard error of what is going on.
function output.remark(message, ...)
  io.stderr:write("# ", text.plain(message:format(...)), "\n")
end

local function paint(value, code)
  if sink ~= io.stdout or not core.isatty(1) or os.getenv "NO_COLOR" then return value end
  return "\27[" .. code .. "m" .. value .. "\27[0m"
end

function output.bold(value) return paint(value, "1") end

--- Black on white, or how the terminal shows that.
function output.reverse(value) return paint(value, "7") end

function output.green(value) return paint(value, "32") end

function output.yellow(value) return paint(value, "33") end

function output.red(value) return paint(value, "31") end

return output
