-- SPDX-License-Identifier: MIT
-- Reports and feeds as tables for people, as CSV and as JSON Lines.

local cjson = require "cjson"
local text = require "chainlink.text"
local time = require "chainlink.time"

local format = {}

--- The cells of a line of CSV, as format.csv_line writes it: a cell in quotes has no newline.
function format.csv_cells(line)
  local cells, place = {}, 1
  while place do
    local cell, after = line:match('^"([^"]*)"()', place)
    while cell and line:sub(after, after) == '"' do -- a quote within, doubled
      local more, behind = line:match('^"([^"]*)"()', after)
      if not more then break end
      cell, after = cell .. '"' .. more, behind
    end
    if not cell then cell, after = line:match("^([^,]*)()", place) end
    cells[#cells + 1] = cell
    place = line:sub(after, after) == "," and after + 1 or nil
  end
  return cells
end

local function csv_cell(value)
  if value == nil then return "" end
  if type(value) == "number" and value == math.floor(value) then return ("%.0f"):format(value) end
  local cell = text.plain(value)
  if cell:find '[,"]' then cell = '"' .. cell:gsub('"', '""') .. '"' end
  return cell
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

local times = { valid_from_timestamp = true, observations_timestamp = true, expires_at = true }

local function fields_of(schemas, version)
  return schemas[version] and schemas[version].fields or {}
end

local function fields_in(report, schemas)
  return report.resolution and fields_of(schemas, report.version) or {}
end

-- The names of the fields that all these schemas have, in the first one's order.
local function shared_fields(schemas, versions)
  local counts, names = {}, {}
  for _, version in ipairs(versions) do
    for _, field in ipairs(fields_of(schemas, version)) do counts[field.name] = (counts[field.name] or 0) + 1 end
  end
  for _, field in ipairs(fields_of(schemas, versions[1])) do
    if counts[field.name] == #versions then names[#names + 1] = field.name end
  end
  return names
end

--- The CSV columns for reports of these schemas: what every report has, then the fields that all of them have. Of
--- several schemas the other fields are in a last column, `fields`. in_ms: times are in milliseconds too.
function format.report_columns(schemas, versions, in_ms)
  local columns, seen = {}, {}
  local function add(name)
    if seen[name] then return end
    columns[#columns + 1] = name
    if in_ms and times[name] then columns[#columns + 1] = name .. "_ms" end
    seen[name] = true
  end
  for _, name in ipairs { "version", "feed_id", "name", "observations_timestamp", "valid_from_timestamp", "price" } do
    add(name)
  end
  for _, name in ipairs(shared_fields(schemas, versions)) do add(name) end
  if #versions > 1 then columns[#columns + 1] = "fields" end
  return columns
end

-- "bid=1.5;ask=1.6": the fields that have no column of their own.
local function other_fields(values, columns, fields)
  local has_column, parts = {}, {}
  for _, name in ipairs(columns) do has_column[name] = true end
  for _, field in ipairs(fields) do
    if not has_column[field.name] then
      local value = values[field.name]
      parts[#parts + 1] = field.name .. "=" .. (type(value) == "number" and ("%.0f"):format(value) or tostring(value))
    end
  end
  return table.concat(parts, ";")
end

--- One line of CSV. name (optional): the feed's.
function format.report_csv(report, columns, schemas, name)
  local values, cells = report:to_table(), {}
  values.name = name
  if columns[#columns] == "fields" then
    values.fields = other_fields(values, columns, fields_in(report, schemas))
  end
  for i, column in ipairs(columns) do cells[i] = values[column] end
  return format.csv_line(cells, #columns)
end

--- One line of JSON. name (optional): the feed's.
function format.report_json(report, name)
  local json = report:to_json()
  return name and '{"name":' .. text.json_string(name) .. "," .. json:sub(2) or json
end

--- A price for people to read, rounded; "" for nil.
function format.number(value)
  if value == nil then return "" end
  local size = math.abs(value)
  return (size >= 100 and "%.2f" or size >= 1 and "%.4f" or "%.8f"):format(value)
end

local number = format.number

--- The first `size` bytes of a text at most, and no part of a character.
function format.cut(value, size)
  while value:find("^[\128-\191]", size + 1) do size = size - 1 end
  return value:sub(1, size)
end

-- in_ms: there are times with milliseconds.
local function time_cell(value, in_ms)
  return (in_ms and "%-24s" or "%-20s"):format(value)
end

function format.report_heading(in_ms)
  return time_cell("observed", in_ms) ..
    ("  %-16s  %-4s%18s%18s%18s"):format("feed", "v", "price", "bid", "ask")
end

--- One row of the table of reports. name: what to call the feed.
function format.report_row(report, name, paint, in_ms)
  local price = ("%18s"):format(number(report.price))
  local row = ("%s  %-16s  %-4s%s%18s%18s"):format(time_cell(time.of(report, "observations_timestamp") or "", in_ms),
    format.cut(text.plain(name), 16), "v" .. report.version, paint and paint(price, report) or price,
    number(report.bid or report.best_bid or report.bid_price),
    number(report.ask or report.best_ask or report.ask_price))
  return (row:gsub(" +$", ""))
end

--- Every field of one report, a line each, exact. name (optional): the feed's.
function format.report_details(report, schemas, name)
  local rows = { { "version", tostring(report.version) }, { "feed_id", report.feed_id } }
  if name then rows[#rows + 1] = { "name", text.plain(name) } end
  for _, field in ipairs(fields_in(report, schemas)) do
    if field.name ~= "feed_id" then
      local value = text.plain(report:exact(field.name))
      if times[field.name] then value = value .. "  " .. (time.of(report, field.name) or "")
      elseif field.unit == "seconds" then value = value .. "  " .. (time.text(report[field.name]) or "") end
      if field.name == "market_status" then value = value .. "  " .. (report:market_status_name() or "") end
      rows[#rows + 1] = { field.name, value }
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

-- What the catalogue tells in addition: {member, heading}, as far as any of the feeds has it.
local function catalogue_columns(feeds)
  local columns = {}
  for _, column in ipairs { { "asset_class", "class" }, { "feed_type", "type" }, { "status", "status" } } do
    for _, feed in ipairs(feeds) do
      if feed[column[1]] ~= nil then
        columns[#columns + 1] = column
        break
      end
    end
  end
  return columns
end

--- All feeds, as an array of lines.
function format.feeds(feeds, kind, schemas, bold)
  local lines = {}
  if kind == "json" then
    for i, feed in ipairs(feeds) do lines[i] = text.plain_json(plain_slashes(cjson.encode(feed))) end
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
  local rows, extra = { { "id", "v", "schema", "name" } }, catalogue_columns(feeds)
  for _, column in ipairs(extra) do table.insert(rows[1], column[2]) end
  for i, feed in ipairs(feeds) do
    rows[i + 1] = { feed.id, tostring(feed.version), schemas[feed.version] and schemas[feed.version].name or "unknown",
      text.plain(feed.name or "") }
    for _, column in ipairs(extra) do table.insert(rows[i + 1], text.plain(feed[column[1]] or "")) end
  end
  return format.columns(rows, bold)
end

return format
