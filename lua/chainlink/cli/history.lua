-- SPDX-License-Identifier: MIT
-- chainlink-streams history: what some feeds had from one time to another, on standard output or into a file, which is
-- gone on with after a break where it is CSV, a recording or a database.

local coverage = require "chainlink.cli.coverage"
local files = require "chainlink.cli.files"
local names = require "chainlink.cli.names"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local progress = require "chainlink.cli.progress"
local session = require "chainlink.cli.session"
local split = require "chainlink.cli.files.split"
local template = require "chainlink.cli.template"
local time = require "chainlink.time"
local times = require "chainlink.cli.time"

local SETTLED = 10 -- seconds: by then the service has all that it will have

local kinds = { "table", "json", "csv", "jsonl", "sqlite" }

-- Is it a file that can be gone on with? Else it has what standard output would have.
local function keeps_file(values)
  local path = values.output
  if not path or path == "-" or values.template then return false end
  if values.resume or values.split then return true end
  if values.format then return values.format ~= "table" and values.format ~= "json" end
  return files.is_named(path)
end

-- Which options go together.
local function check(values)
  if keeps_file(values) then
    if values.count then options.usage_error "--count is for no file of csv, jsonl or sqlite" end
    return
  end
  local for_files = values.resume and "resume" or values.split and "split"
  if for_files then options.usage_error("--%s is for --output, without a template", for_files) end
  if values.format == "jsonl" or values.format == "sqlite" then
    options.usage_error("--format %s is for --output, without a template", values.format)
  end
end

local function range_of(values)
  local now = os.time()
  local from, to = options.time(values.from or "now-60", now), options.time(values.to or "now", now)
  if from > to then options.usage_error "--from is later than --to" end
  if keeps_file(values) then to = math.min(to, now - SETTLED) end
  if from > to then options.usage_error("the file keeps what is %d seconds old: --from is later than that", SETTLED) end
  return from, to
end

-- ---- standard output ----

local function iterate(client, ids, from, to)
  if #ids == 1 then return client:reports(ids[1], from, to) end
  return client:history { feeds = ids, from = from, to = to }
end

local function print_all(client, values, kind, ids, known)
  local from, to = range_of(values)
  local write, written = session.report_writer(kind, ids, known), 0
  for report in iterate(client, ids, from, to) do
    write(report)
    written = written + 1
    if written == values.count then break end
  end
  if written == 0 then output.note "no report in that time" end
end

-- ---- files ----

local function sorted(ids)
  local list, seen = {}, {}
  for _, id in ipairs(ids) do
    if not seen[id] then list[#list + 1] = id end
    seen[id] = true
  end
  table.sort(list)
  return list
end

local function copy(source, file, known, told, covered)
  local second
  for report in source do
    files.check(report)
    if report.observations_timestamp ~= second then file:settle() end
    second = report.observations_timestamp
    file:write(report, known[report.feed_id])
    covered:add(report)
    told:note(second, covered.holes)
  end
end

-- What a run has brought, on standard error.
local function summarize(covered, known, from, to, was_resumed)
  output.remark("%s%s to %s", was_resumed and "gone on with from " or "", time.text(from), time.text(to))
  for _, line in ipairs(covered:lines(known)) do output.remark("%s", line) end
end

local function keep(client, values, ids, known)
  local from, to = range_of(values)
  ids = sorted(ids)
  local kind = files.kind(values.output, values.format)
  local file = (values.split and split or files).write(kind, values.output, ids,
    { resume = values.resume, from = from, to = to })
  local start = file.last or from
  if start > to then
    output.remark("%s goes on to %s already", values.output, time.text(start))
    file:close()
    return
  end
  local covered, told = coverage.new(start, to), progress.new(from, to, start, values.quiet)
  for _, id in ipairs(ids) do covered:feed(id) end
  local source = client:history { feeds = ids, from = start, to = to }
  local good, err = pcall(copy, source, file, known, told, covered)
  told:close()
  local closed, why = pcall(file.close, file)
  if not good then error(err, 0) end
  if not closed then error(why, 0) end
  if not values.quiet then summarize(covered, known, start, to, file.last) end
end

return {
  summary = "the reports of feeds from one time to another",
  usage = "history FEED... [--from TIME] [--to TIME] [--count N] [-f TEMPLATE]   or   "
    .. "history FEED... --output FILE [--from TIME] [--to TIME] [--resume] [--split day]",
  notes = "TIME: " .. times.forms
    .. "\nFILE of csv, jsonl or sqlite is in the order of time, up to what is 10 seconds old, and can be gone on with",
  network = true,
  options = {
    { name = "from", value = "TIME", help = "first second (default: now-60)" },
    { name = "to", value = "TIME", help = "last second (default: now)" },
    { name = "count", value = "N", number = "whole", help = "stop after so many reports" },
    { name = "format", value = table.concat(kinds, "|"), choices = kinds,
      help = "how to write (default: table, or by FILE's name); jsonl is a recording" },
    template.option,
    { name = "output", short = "o", value = "FILE",
      help = "write there; .csv, .jsonl and .sqlite, by name or --format, can be gone on with" },
    { name = "out", alias = "output", value = "FILE", help = "the same as --output" },
    { name = "resume", help = "go on with FILE where it ends" },
    { name = "split", value = "day", choices = { "day" }, help = "a file for each day (UTC), its date in the name" },
    { name = "quiet", help = "no progress and summary on standard error" },
  },
  keeps_file = keeps_file,
  run = function(client, values, rest)
    check(values)
    local is_kept = keeps_file(values)
    local kind = is_kept and "csv" or session.kind(values) or "table"
    local ids, known = names.feeds(client, rest, kind)
    if is_kept then keep(client, values, ids, known)
    else print_all(client, values, kind, ids, known) end
  end,
}
