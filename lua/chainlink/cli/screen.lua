-- SPDX-License-Identifier: MIT
-- Where `top` draws: a terminal in full screen, which is given back as it was, or, where standard output is none that
-- can be drawn on, one block of lines after the other.

local core = require "chainlink.core"
local output = require "chainlink.cli.output"

local screen = {}
local Screen = {}
Screen.__index = Screen

local PLAIN_WIDTH = 120 -- of a file or pipe
local KEY_SECONDS = 0.05 -- keys are looked for at most so often

local styles = { title = output.bold, head = output.reverse, rose = output.green, fell = output.red, bad = output.red }

local function paint(style, value) return styles[style](value) end

local function can_draw()
  local kind = os.getenv "TERM"
  return kind and kind ~= "" and kind ~= "dumb" and core.isatty(0) and core.isatty(1)
end

--- A screen; it must be closed, whatever happens.
function screen.open()
  local is_full = can_draw() and core.terminal_open() == true
  return setmetatable({ is_full = is_full, paint = is_full and paint or nil, keys_due = 0 }, Screen)
end

--- Rows, endless for a file, and columns, asked for each time as people change them.
function Screen:size()
  local rows, columns = core.terminal_size()
  if not self.is_full then return math.huge, columns or PLAIN_WIDTH end
  return rows or tonumber(os.getenv "LINES") or 24, columns or tonumber(os.getenv "COLUMNS") or 80
end

--- Shows the lines. Each is erased before it is written: after one that fills its row its last letter would go too.
function Screen:draw(lines, rows)
  if self.is_full then
    output.write("\27[H\27[K" .. table.concat(lines, "\r\n\27[K") .. (#lines < rows and "\r\n\27[J" or ""))
  else
    for _, line in ipairs(lines) do output.print((line:gsub(" +$", ""))) end
    output.print ""
  end
  output.flush()
end

local names = { ["\27[A"] = "up", ["\27[B"] = "down", ["\27OA"] = "up", ["\27OB"] = "down", ["\27[5~"] = "page up",
  ["\27[6~"] = "page down", k = "up", j = "down", b = "page up", [" "] = "page down", q = "quit", Q = "quit",
  ["\12"] = "redraw" }

--- The names of the keys that were pressed; nil where they are not looked for now. Ctrl-C is raised.
function Screen:keys(now)
  if not self.is_full or now < self.keys_due then return nil end
  self.keys_due = now + KEY_SECONDS
  local bytes, interrupted = core.terminal_keys()
  if interrupted then error("interrupted!", 0) end
  if not bytes then return { "quit" } end -- nobody can press one any more
  local pressed = {}
  while bytes ~= "" do
    local key = bytes:match "^\27[%[O]%d*[%a~]" or bytes:sub(1, 1)
    pressed[#pressed + 1] = names[key]
    bytes = bytes:sub(#key + 1)
  end
  return #pressed > 0 and pressed or nil
end

function Screen:close()
  if self.is_full then core.terminal_close() end
end

return screen
