-- SPDX-License-Identifier: MIT
-- chainlink-streams top: a live view of feeds. Here it is fed and driven; chainlink.cli.board knows the feeds,
-- chainlink.cli.layout makes lines of that, and chainlink.cli.screen shows them.

local board = require "chainlink.cli.board"
local core = require "chainlink.core"
local layout = require "chainlink.cli.layout"
local names = require "chainlink.cli.names"
local screens = require "chainlink.cli.screen"
local session = require "chainlink.cli.session"

local WAIT_SECONDS = 0.1 -- for a report, before keys and the terminal's size are looked at again

local top = {
  summary = "a live view of feeds: prices, ages, rates, latency, gaps",
  usage = "top FEED... [--interval SECONDS] [--count N]",
  notes = "q ends; up and down, or k and j, scroll, so do page up and page down\n"
    .. "where it cannot draw (a pipe, TERM=dumb) the lines come one after another, once an interval",
  network = true,
  unformatted = true,
  options = {
    { name = "interval", value = "SECONDS", number = true, low = 0.1, high = 3600, default = 1,
      help = "how often it is drawn (1)" },
    { name = "count", value = "N", number = "whole", help = "end after it was drawn so often" },
  },
}

function top.client_options(values)
  return { on_status = function(event)
    if values.board then values.board:event(event) end
  end }
end

local function new_view(source, values, screen)
  return { source = source, board = values.board, interval = values.interval, screen = screen, start = 1, due = 0,
    drawn = 0 }
end

local function draw(view, now)
  local rows, columns = view.screen:size()
  local state = view.board:state(view.source:stats(), now, core.time())
  local lines
  lines, view.shown, view.start = layout.lines(state, rows, columns, view.start, view.screen.paint)
  view.screen:draw(lines, rows)
  view.rows, view.columns = rows, columns
end

local function has_other_size(view)
  if not view.screen.is_full then return false end
  local rows, columns = view.screen:size()
  return rows ~= view.rows or columns ~= view.columns
end

local moves = { up = function() return -1 end, down = function() return 1 end,
  ["page up"] = function(shown) return -shown end, ["page down"] = function(shown) return shown end,
  redraw = function() return 0 end }

-- Does what the keys say. -> is it to end, is it to be drawn
local function obey(view, keys)
  for _, key in ipairs(keys or {}) do
    if key == "quit" then return true, false end
    view.start = view.start + moves[key](view.shown)
  end
  return false, keys ~= nil
end

-- Until the user, --count or an error ends it.
local function watch(view, count)
  while view.drawn ~= count do
    local now = core.monotonic()
    local ends, moved = obey(view, view.screen:keys(now))
    if ends then return end
    local is_due = now >= view.due
    if is_due then view.due, view.drawn = now + view.interval, view.drawn + 1 end
    if is_due or moved or has_other_size(view) then draw(view, now) end
    if view.drawn == count then return end
    local report, err = view.source:read(math.min(WAIT_SECONDS, math.max(0, view.due - core.monotonic())))
    if report then view.board:report(report, core.monotonic())
    elseif err.kind ~= "TimeoutError" then error(err, 0) end
  end
end

function top.run(client, values, rest)
  local ids, known = names.feeds(client, rest, "json") -- with the names of ids
  values.board = board.new(ids, known, core.monotonic())
  local source = session.check(client:stream(ids))
  local screen = screens.open()
  local ok, err = pcall(watch, new_view(source, values, screen), values.count)
  screen:close()
  source:close()
  if not ok then error(err, 0) end
end

return top
