-- SPDX-License-Identifier: MIT
-- Files of reports, of the kinds that there are: written, and read again.

local chainlink = require "chainlink"
local later = require "chainlink.later"
local options = require "chainlink.cli.options"

local files = {}

local kinds = {
  csv = later "chainlink.cli.files.csv",
  jsonl = later "chainlink.cli.files.jsonl",
  sqlite = later "chainlink.cli.files.sqlite",
}
local endings = { csv = "csv", jsonl = "jsonl", sqlite = "sqlite", sqlite3 = "sqlite", db = "sqlite" }

files.names = { "csv", "jsonl", "sqlite" }

--- Does its name tell what it is, or that it could be one of them compressed?
function files.is_named(path)
  return endings[path:match "%.(%w+)$" or ""] ~= nil or path:find "%.gz$" ~= nil or path:find "%.zst$" ~= nil
end

--- The kind of a file to write, by what was asked for or by its name; a usage error where that tells none.
function files.kind(path, asked)
  if path:find "%.gz$" or path:find "%.zst$" then
    options.usage_error("'%s': files are not compressed here; gzip or zstd does it afterwards", path)
  end
  local kind = asked or endings[path:match "%.(%w+)$" or ""]
  if kinds[kind] then return kind end
  options.usage_error("'%s': its name must end in .csv, .jsonl or .sqlite, or --format be csv, jsonl or sqlite", path)
end

--- Opens a file of reports of these feeds, sorted. options: resume: one that is there is gone on with; from: the first
--- second, of a history; keeps_arrival: when and where from reports came is written too, in a kind that can. It has
--- `last`, the second that it ends in, write(report, name), settle(), between seconds, and close(). What fails is
--- raised.
function files.write(kind, path, ids, settings)
  return kinds[kind].write(path, ids, settings)
end

--- Whether a report can be written: raises where its schema is not known, as its time is nowhere then.
function files.check(report)
  if report.resolution and chainlink.schemas[report.version] and report.observations_timestamp then return end
  error(("a report of feed %s has version %d, whose fields are not known: --schemas FILE adds schemas"):format(
    report.feed_id, report.version), 0)
end

local function kind_of(path)
  local file, reason = io.open(path, "rb")
  if not file then error("cannot open " .. reason, 0) end -- the reason names the file
  local start = file:read(15) -- nothing of a folder, which stands for recordings
  file:close()
  if not start or start:find "^{" or start:find "^\31\139" or start:find "^%(\181/\253" then return "jsonl" end
  if start == "SQLite format 3" then return "sqlite" end
  if start:find "^version," then return "csv" end
  error(path .. " is neither a recording, nor CSV or a database of this program", 0)
end

--- A function that answers one report of a file after the other, and the name of its feed where it has one, and a
--- function that ends it. complain(place, reason), if given, is told what cannot be read, which is passed over.
function files.read(path, complain)
  local next_report, close = kinds[kind_of(path)].read(path, complain)
  return function()
    local report, name = next_report()
    if report then files.check(report) end
    return report, name
  end, close
end

return files
