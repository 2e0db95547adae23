-- SPDX-License-Identifier: MIT
-- Reports and feeds as tables for people, as CSV and as JSON, one object a line.

local cjson = require "cjson"

local format = {}

--- Text from the network, without what could steer a terminal.
function format.plain(text)
  return (tostring(text):gsub("%c", "?"))
end

function format.time(seconds)
  return seconds and os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) or ""
end

local function csv_cell(value)
  if value == nil then return "" end
  local text = tostring(value)
  if type(value) == "number" and value == math.floor(value) then text = ("%.0f"):format(value) end
  if text:find '[,"\r\n]' then text = '"' .. text:gsub('"', '""') .. '"' end
  return text
end

--- One line of CSV; `count` cells, of which some may be nil.
function format.csv_line(cells, count)
  local out = {}
  for i = 1, count or #cells do out[i] = csv_cell(cells[i]) end
  return table.concat(out, ",")
end

--- Lines with aligned columns. rows: arrays of text. `bold` (optional) marks the first line.
function format.columns(rows, bold)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, #cell) end
  end
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = i < #row and cell .. (" "):rep(widths[i] - #cell) or cell end
    local line = table.concat(cells, "  ")
    lines[n] = n == 1 and bold and bold(line) or line
  end
  return lines
end

-- ---- reports ----

--- The CSV columns for reports of these schemas: every field of each, once.
function format.report_columns(schemas, versions)
  local columns, seen = { "version", "feed_id" }, { version = true, feed_id = true }
  local function add(name)
    if not seen[name] then columns[#columns + 1] = name end
    seen[name] = true
  end
  add "observations_timestamp"
  for _, version in ipairs(versions) do
    for _, field in ipairs(schemas[version] and schemas[version].fields or {}) do add(field.name) end
  end
  return columns
end

function format.report_csv(report, columns)
  local values, cells = report:to_table(), {}
  for i, name in ipairs(columns) do cells[i] = values[name] end
  return format.csv_line(cells, #columns)
end

local function number(value)
  if value == nil then return "" end
  local size = math.abs(value)
  return (size >= 100 and "%.2f" or size >= 1 and "%.4f" or "%.8f"):format(value)
end

format.report_heading = ("%-20s  %-16s  %-4s%18s%18s%18s"):format("observed", "feed", "v", "price", "bid", "ask")

--- One row of the table of reports. name: what to call the feed.
function format.report_row(report, name, paint)
  local price = ("%18s"):format(number(report.price))
  local row = ("%-20s  %-16s  %-4s%s%18s%18s"):format(format.time(report.observations_timestamp),
    format.plain(name):sub(1, 16), "v" .. report.version, paint and paint(price, report) or price,
    number(report.bid or report.best_bid), number(report.ask or report.best_ask))
  return (row:gsub(" +$", ""))
end

--- Every field of one report, a line each, exact.
function format.report_details(report, schemas)
  local rows = { { "version", tostring(report.version) }, { "feed_id", report.feed_id } }
  for _, field in ipairs(schemas[report.version] and schemas[report.version].fields or {}) do
    if field.name ~= "feed_id" then
      local text = report:exact(field.name)
      if field.unit == "seconds" then text = text .. "  " .. format.time(report[field.name]) end
      if field.name == "market_status" then text = text .. "  " .. (report:market_status_name() or "") end
      rows[#rows + 1] = { field.name, text }
    end
  end
  rows[#rows + 1] = { "config_digest", report.config_digest }
  rows[#rows + 1] = { "signatures", tostring(#report.signatures) }
  return format.columns(rows)
end

--- "0x0003…0265" in ASCII, for columns.
function format.short_id(id)
  return id:sub(1, 8) .. ".." .. id:sub(-6)
end

-- ---- feeds ----

local function feed_members(feeds)
  local names, seen = {}, { id = true, version = true, name = true }
  for _, feed in ipairs(feeds) do
    for name, value in pairs(feed) do
      if not seen[name] and type(value) ~= "table" then names[#names + 1] = name end
      seen[name] = true
    end
  end
  table.sort(names)
  return { "id", "version", "name", (table.unpack or unpack)(names) } -- luacheck: ignore 113 143
end

-- lua-cjson writes "/" as "\\/", which is right and hard to read.
local function plain_slashes(json)
  return (json:gsub("\\(.)", function(c) return c == "/" and "/" or nil end))
end

--- All feeds, as an array of lines.
function format.feeds(feeds, kind, schemas, bold)
  local lines = {}
  if kind == "json" then
    for i, feed in ipairs(feeds) do lines[i] = plain_slashes(cjson.encode(feed)) end
    return lines
  end
  if kind == "csv" then
    local members = feed_members(feeds)
    lines[1] = format.csv_line(members)
    for i, feed in ipairs(feeds) do
      local cells = {}
      for j, name in ipairs(members) do cells[j] = feed[name] end
      lines[i + 1] = format.csv_line(cells, #members)
    end
    return lines
  end
  local rows = { { "id", "v", "schema", "name" } }
  for i, feed in ipairs(feeds) do
    rows[i + 1] = { feed.id, tostring(feed.version), schemas[feed.version] and schemas[feed.version].name or "unknown",
      format.plain(feed.name or "") }
  end
  return format.columns(rows, bold)
end

return format
