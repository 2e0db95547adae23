-- SPDX-License-Identifier: MIT
-- chainlink-streams convert: files of reports into one, of another kind or of the same.

local chainlink = require "chainlink"
local coverage = require "chainlink.cli.coverage"
local files = require "chainlink.cli.files"
local merge = require "chainlink.cli.files.merge"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local times = require "chainlink.cli.time"

local function filter_of(values)
  local now, filter = os.time(), {}
  filter.from = values.from and options.time(values.from, now)
  filter.to = values.to and options.time(values.to, now)
  for id in (values.feeds or ""):gmatch "[^,]+" do
    local good, version = pcall(chainlink.feed_version, id)
    if not good or not version then options.usage_error("--feeds: '%s' is no feed id", id) end
    filter.feeds = filter.feeds or {}
    filter.feeds[id:lower()] = true
  end
  return filter
end

-- Takes away what a conversion that was broken off has left; what is at `path` itself is never touched.
local function make_room(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
    error(path .. " is there already", 0)
  end
  for _, ending in ipairs { ".part", ".part-wal", ".part-shm" } do os.remove(path .. ending) end
  return path .. ".part"
end

local function sorted_keys(set)
  local list = {}
  for key in pairs(set) do list[#list + 1] = key end
  table.sort(list)
  return list
end

-- All there is to know of the inputs before the first line is written: their feeds, names and order.
local function survey(paths, filter, complain)
  local surveys, feeds, names = {}, {}, {}
  for i, path in ipairs(paths) do
    surveys[i] = merge.survey(path, filter, complain)
    for id in pairs(surveys[i].feeds) do feeds[id] = true end
    for id, name in pairs(surveys[i].names) do names[id] = names[id] or name end
  end
  return surveys, sorted_keys(feeds), names
end

-- -> the file to write, the entries in the order to write them, names by feed id
local function prepare(kind, path, paths, filter, complain)
  if kind == "sqlite" then -- takes any order, and each report once
    return files.write(kind, path, {}, {}), merge.concatenate(paths, filter, complain), {}
  end
  local surveys, ids, names = survey(paths, filter, complain)
  return files.write(kind, path, ids, { keeps_arrival = true }), merge.read(surveys, filter), names
end

local function copy(file, source, names)
  local count, second = 0, nil
  for entry in source do
    local report = entry.report
    if report.observations_timestamp ~= second then file:settle() end
    second, count = report.observations_timestamp, count + 1
    file:write(report, entry.name or names[entry.id])
  end
  file:close()
  return count
end

-- What is in the file now.
local function summarize(path, filter)
  local covered, names = coverage.new(filter.from, filter.to), {}
  for entry in merge.concatenate({ path }, {}) do
    covered:add(entry.report)
    names[entry.id] = names[entry.id] or entry.name
  end
  for _, line in ipairs(covered:lines(names)) do output.remark("%s", line) end
end

local kinds = files.names

return {
  summary = "files of reports into one, of another kind or the same",
  usage = "convert FILE... --output FILE [--feeds ID,...] [--from TIME] [--to TIME]",
  notes = "FILE: recordings, compressed or not, CSV and databases that history or convert wrote\nTIME: " .. times.forms
    .. "\nexit code 1: a line could not be read; the others are in the file",
  options = {
    { name = "output", short = "o", value = "FILE", help = "a new file: .csv, .jsonl or .sqlite" },
    { name = "format", value = table.concat(kinds, "|"), choices = kinds, help = "what it is, whatever its name" },
    { name = "feeds", value = "ID,...", help = "only these feeds" },
    { name = "from", value = "TIME", help = "first second of the observations" },
    { name = "to", value = "TIME", help = "last second" },
    { name = "quiet", help = "no summary on standard error" },
  },
  keeps_file = function() return true end,
  run = function(_, values, rest)
    if #rest == 0 then options.usage_error "convert needs a file to read" end
    if not values.output then options.usage_error "convert needs --output, a file to write" end
    local kind, filter, faults = files.kind(values.output, values.format), filter_of(values), 0
    local part = make_room(values.output)
    local file, source, names = prepare(kind, part, rest, filter, function(place, reason)
      faults = faults + 1
      output.note("%s: %s", place, reason)
    end)
    local count = copy(file, source, names)
    local done, reason = os.rename(part, values.output)
    if not done then error("cannot make " .. values.output .. ": " .. reason, 0) end
    if count == 0 then output.note "no report fits" end
    if not values.quiet then summarize(values.output, filter) end
    return faults == 0 and 0 or 1
  end,
}
