-- SPDX-License-Identifier: MIT
-- What `top` shows, as lines for so many rows and columns. Pure: no terminal, no clock; `paint` gives colours.

local format = require "chainlink.cli.format"
local text = require "chainlink.text"

local layout = {}

local STALE_SECONDS = 30 -- as /healthz judges
local MIN_NAME, MAX_NAME = 8, 24
local TROUBLE_SECONDS = 60 -- for so long the last trouble is shown
local WIDE = 50 -- columns in which the time of day finds room beside the title
local GAP = 2

-- ---- cells ----

local function width_of(value) return select(2, value:gsub("[^\128-\191]", "")) end

-- The first characters, that many at most; where some are missing it ends with "~".
local function cut(value, width)
  if width_of(value) <= width then return value end
  local kept = {}
  for character in value:gmatch "[^\128-\191][\128-\191]*" do
    if #kept >= width - 1 then break end
    kept[#kept + 1] = character
  end
  return table.concat(kept) .. (width > 0 and "~" or "")
end

local function fit(value, width, is_left)
  local cell = cut(value, width)
  local blanks = (" "):rep(width - width_of(cell))
  return is_left and cell .. blanks or blanks .. cell
end

--- "0.4s", "12s", "3m05s", "2h03m", "4d"
function layout.duration(seconds)
  if not seconds then return "-" end
  seconds = math.max(0, seconds)
  if seconds < 9.95 then return ("%.1fs"):format(seconds) end
  local whole = math.floor(seconds + 0.5)
  if whole < 60 then return ("%ds"):format(whole) end
  if whole < 3600 then return ("%dm%02ds"):format(math.floor(whole / 60), whole % 60) end
  if whole < 86400 then return ("%dh%02dm"):format(math.floor(whole / 3600), math.floor(whole % 3600 / 60)) end
  return ("%dd"):format(math.floor(whole / 86400))
end

local function milliseconds(value)
  if not value then return "-" end
  if value < -999.5 or value >= 99999.5 then return layout.duration(value / 1000) end
  return (math.abs(value) < 9.95 and "%.1fms" or "%.0fms"):format(value)
end

local function count(value) return value and ("%.0f"):format(value) or "-" end

local function rate(value)
  if not value then return "-" end
  return (value < 99.95 and "%.1f" or "%.0f"):format(value)
end

-- "BTC/USD", or the two ends of an id.
local function name_of(feed)
  return feed.name:find "^0x%x+$" and #feed.name == 66 and format.short_id(feed.name) or text.plain(feed.name)
end

local function clock(seconds) return os.date("!%H:%M:%S", math.floor(seconds)) end

local function price_style(feed) return feed.direction == "up" and "rose" or feed.direction == "down" and "fell" end

local function age_style(feed) return feed.age and feed.age > STALE_SECONDS and "bad" or nil end

local function bad_if_any(member)
  return function(feed) return feed[member] > 0 and "bad" or nil end
end

local function price_cell(feed) return feed.price and format.number(feed.price) or "waiting" end

local function age_cell(feed) return layout.duration(feed.age) end

local function observed_cell(feed) return feed.observed and clock(feed.observed) or "-" end

local function count_cell(member)
  return function(feed) return count(feed[member]) end
end

-- By how much they are wanted: those that find no room are left out. For the core ones, of which none is passed over,
-- names are cut short; the bid needs the ask's room too, which comes with it.
local columns = {
  { head = "price", width = 14, core = true, cell = price_cell, style = price_style },
  { head = "age", width = 6, core = true, cell = age_cell, style = age_style },
  { head = "rate/s", width = 6, core = true, cell = function(feed) return rate(feed.rate) end },
  { head = "latency", width = 7, core = true, cell = function(feed) return milliseconds(feed.latency) end },
  { head = "gaps", width = 4, core = true, cell = count_cell "gaps" },
  { head = "lost", width = 4, core = true, cell = count_cell "lost", style = bad_if_any "lost" },
  { head = "bid", width = 14, needs = 30, cell = function(feed) return format.number(feed.bid) end },
  { head = "ask", width = 14, with = "bid", cell = function(feed) return format.number(feed.ask) end },
  { head = "observed", width = 8, cell = observed_cell },
  { head = "reports", width = 10, cell = count_cell "reports" },
  { head = "id", width = 16, cell = function(feed) return format.short_id(feed.id) end },
}

local shown_order = { "price", "bid", "ask", "age", "rate/s", "latency", "gaps", "lost", "observed", "reports", "id" }

-- -> the columns that find room beside the names, in the order in which they are shown, and the names' width
local function choose(feeds, width)
  local longest = MIN_NAME
  for _, feed in ipairs(feeds) do longest = math.max(longest, width_of(name_of(feed))) end
  longest = math.min(longest, MAX_NAME)
  local left, found, chosen = width, {}, {}
  for _, column in ipairs(columns) do
    local for_names = column.core and MIN_NAME or longest
    local fits = (column.needs or column.width) + GAP <= left - for_names
    if fits and (not column.with or found[column.with]) then
      found[column.head] = column
      left = left - column.width - GAP
    elseif column.core then break
    end
  end
  for _, head in ipairs(shown_order) do chosen[#chosen + 1] = found[head] end
  return chosen, math.min(longest, left)
end

local function plain(_, value) return value end

local function heading(chosen, name_width)
  local cells = { fit("feed", name_width, true) }
  for i, column in ipairs(chosen) do cells[i + 1] = fit(column.head, column.width) end
  return table.concat(cells, (" "):rep(GAP))
end

local function row_of(feed, chosen, name_width, paint)
  local cells = { fit(name_of(feed), name_width, true) }
  for i, column in ipairs(chosen) do
    local cell = fit(column.cell(feed), column.width)
    local style = column.style and column.style(feed)
    cells[i + 1] = style and paint(style, cell) or cell
  end
  return table.concat(cells, (" "):rep(GAP))
end

-- ---- what stands above the feeds ----

-- As many of the parts as find room, with two blanks between; those that are empty are left out.
local function joined(parts, width)
  local line = ""
  for _, part in ipairs(parts) do
    local longer = part == "" and line or line == "" and part or line .. "  " .. part
    if width_of(longer) > width and line ~= "" then break end
    line = longer
  end
  return cut(line, width)
end

local function is_down(stats) return stats.active_connections < stats.configured_connections end

local function summary(state, width, paint)
  local stats = state.stats
  local connections = ("%.0f of %.0f connections up"):format(stats.active_connections, stats.configured_connections)
  local latency = stats.latency.mean
  local line = joined({ connections, rate(state.rate) .. " reports/s", "gaps " .. count(stats.gaps),
    "lost " .. count(stats.lost), latency and "latency " .. milliseconds(latency) .. " (max "
      .. milliseconds(stats.latency.max) .. ")" or "latency -", "reports " .. count(stats.accepted),
    "duplicates " .. count(stats.deduplicated), "dropped " .. count(stats.dropped) }, width)
  return is_down(stats) and paint("bad", line) or line
end

local function connection_line(origin, width, paint)
  local is_up = origin.state == "connected"
  local line = " " .. joined({ text.plain(origin.origin or ""), text.plain(origin.host or ""), origin.state,
    is_up and "up " .. layout.duration(origin.connection_uptime) or "", "ping " .. milliseconds(origin.ping_latency),
    "messages " .. count(origin.messages_received), "reconnects " .. count(origin.reconnect_count) }, width - 1)
  return is_up and line or paint("bad", line)
end

local function title(state, width)
  local feeds = #state.feeds
  local right = width >= WIDE and clock(state.wall) .. " UTC" or ""
  local left = joined({ "chainlink-streams top", ("%d feed%s"):format(feeds, feeds == 1 and "" or "s"),
    "for " .. layout.duration(state.uptime), "q ends" }, width - (right ~= "" and width_of(right) + GAP or 0))
  return left .. (" "):rep(width - width_of(left) - width_of(right)) .. right
end

local function trouble_line(state, width, paint)
  local trouble = state.trouble
  if not trouble or state.wall - trouble.at > TROUBLE_SECONDS then return nil end
  local ago = layout.duration(state.wall - trouble.at)
  return paint("bad", cut(text.plain(("%s ago: %s"):format(ago, trouble.words)), width))
end

-- The lines above the feeds. Where there is little room the connections are left to the summary.
local function top_lines(state, rows, width, paint)
  local lines = { paint("title", title(state, width)), summary(state, width, paint) }
  local origins = state.stats.origins
  if rows >= #lines + #origins + 6 then
    for _, origin in ipairs(origins) do lines[#lines + 1] = connection_line(origin, width, paint) end
  end
  lines[#lines + 1] = trouble_line(state, width, paint)
  if rows >= 8 then lines[#lines + 1] = "" end
  return lines
end

-- ---- all of it ----

--- How far one may scroll: the first feed that is shown is not after this one.
function layout.last_start(feed_count, shown) return math.max(1, feed_count - shown + 1) end

--- The lines, none wider than `width`, and no more than `rows` of them, math.huge for any number. state: as
--- chainlink.cli.board tells it; start: the first feed to show; paint(style, text), of the styles title, head, rose,
--- fell and bad, may put colours around a text. -> lines, how many feeds are shown, the first of them
function layout.lines(state, rows, width, start, paint)
  paint = paint or plain
  local lines = top_lines(state, rows, width, paint)
  for i = #lines, rows - 2, -1 do lines[i] = nil end
  local chosen, name_width = choose(state.feeds, width)
  lines[#lines + 1] = paint("head", fit(cut(heading(chosen, name_width), width), width, true))
  local room = rows - #lines
  local shown = math.min(#state.feeds, room)
  if shown < #state.feeds and room > 1 then shown = room - 1 end
  start = math.max(1, math.min(start, layout.last_start(#state.feeds, shown)))
  for i = start, start + shown - 1 do
    lines[#lines + 1] = row_of(state.feeds[i], chosen, name_width, paint)
  end
  if shown < #state.feeds and room > 1 then
    local words = "feeds %d to %d of %d; down and up scroll"
    lines[#lines + 1] = cut(words:format(start, start + shown - 1, #state.feeds), width)
  end
  return lines, shown, start
end

return layout
