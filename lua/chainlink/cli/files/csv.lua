-- SPDX-License-Identifier: MIT
-- Reports as CSV in files: the columns of --format csv, and the full report, which all of them can be had from again.

local chainlink = require "chainlink"
local format = require "chainlink.cli.format"
local lines = require "chainlink.cli.files.lines"
local session = require "chainlink.cli.session"

local csv = {}

local Writer = {}
Writer.__index = Writer

local function place_of(cells, name)
  for i, cell in ipairs(cells) do
    if cell == name then return i end
  end
end

--- Opens a file for reports of these feeds. options: resume.
function csv.write(path, ids, options)
  local columns = format.report_columns(chainlink.schemas, session.versions(ids), session.has_ms(ids))
  local head, place = format.csv_line(columns) .. ",full_report", place_of(columns, "observations_timestamp")
  local file = lines.open(path, {
    head = head, resume = options.resume,
    accepts = function(line)
      if line == head then return true end
      return nil, "has other columns: it is of feeds of other schemas, or no such file"
    end,
    second_of = function(line) return tonumber(format.csv_cells(line)[place]) end,
  })
  return setmetatable({ file = file, columns = columns, last = file.last }, Writer)
end

function Writer:write(report, name)
  local cells = format.report_csv(report, self.columns, chainlink.schemas, name)
  self.file:write(cells .. "," .. report.full_report) -- hex, which needs no look at each of its digits
end

function Writer:settle() self.file:settle() end

function Writer:close() self.file:close() end

--- A function that answers one report after the other, with the name of its feed, and one that ends it. What cannot be
--- read is told to complain(place, reason), where there is one, and passed over.
function csv.read(path, complain)
  local file = assert(io.open(path, "rb"))
  local head = format.csv_cells(file:read "*l" or "")
  local at, name_at, number = place_of(head, "full_report"), place_of(head, "name"), 1
  if not at then error(("%s has no column full_report: its reports are not in it"):format(path), 0) end
  return function()
    while true do
      local line, reason = file:read "*l"
      if reason then error(("%s cannot be read: %s"):format(path, reason), 0) end
      if not line then return nil end
      number = number + 1
      local cells = format.csv_cells(line)
      local report, err = chainlink.decode(cells[at] or "")
      local name = name_at and cells[name_at] ~= "" and cells[name_at] or nil
      if report then return report, name end
      if complain then complain(("%s, line %d"):format(path, number), tostring(err)) end
    end
  end, function() file:close() end
end

return csv
