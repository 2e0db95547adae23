-- SPDX-License-Identifier: MIT
-- The commands that ask once: feeds, latest, at, history, decode, version.

local chainlink = require "chainlink"
local format = require "chainlink.cli.format"
local options = require "chainlink.cli.options"
local session = require "chainlink.cli.session"

local commands = {}

local count_option = { name = "count", value = "N", number = "whole", help = "stop after so many reports" }

local function note(message, ...)
  io.stderr:write("chainlink-streams: ", message:format(...), "\n")
end

commands.feeds = {
  summary = "list the feeds that your key may read",
  usage = "feeds",
  network = true,
  run = function(client, values, rest)
    if #rest > 0 then options.usage_error("feeds takes no argument, got '%s'", rest[1]) end
    local feeds = session.check(client:get_feeds())
    for _, line in ipairs(format.feeds(feeds, values.format, chainlink.schemas, session.bold)) do
      session.print(line)
    end
  end,
}

commands.latest = {
  summary = "the newest report of one or more feeds",
  usage = "latest FEED...",
  network = true,
  run = function(client, values, rest)
    local ids, names = session.feeds(client, rest)
    local reports = {}
    for i, id in ipairs(ids) do reports[i] = session.check(client:get_latest_report(id)) end
    session.write_reports(values.format, reports, ids, names)
  end,
}

commands.at = {
  summary = "the reports of feeds at one time",
  usage = "at TIME FEED...",
  notes = "TIME: Unix seconds, 2024-12-14T22:49:05Z, now or now-60",
  network = true,
  run = function(client, values, rest)
    if #rest < 2 then options.usage_error "at needs a time and a feed" end
    local time = options.time(rest[1], os.time())
    table.remove(rest, 1)
    local ids, names = session.feeds(client, rest)
    local reports, missing
    if #ids == 1 then
      reports, missing = { session.check(client:get_report(ids[1], time)) }, {}
    else
      reports, missing = session.check(client:get_reports(ids, time))
    end
    session.write_reports(values.format, reports, ids, names)
    for _, id in ipairs(missing) do note("%s has no report at %d", names[id] or id, time) end
    return #missing == 0 and 0 or 1
  end,
}

commands.history = {
  summary = "a feed's reports from one time to another",
  usage = "history FEED [--from TIME] [--to TIME] [--count N]",
  notes = "TIME: Unix seconds, 2024-12-14T22:49:05Z, now or now-60",
  network = true,
  options = {
    { name = "from", value = "TIME", help = "first second (default: now-60)" },
    { name = "to", value = "TIME", help = "last second (default: now)" },
    count_option,
  },
  run = function(client, values, rest)
    if #rest ~= 1 then options.usage_error "history takes one feed" end
    local now = os.time()
    local from, to = options.time(values.from or "now-60", now), options.time(values.to or "now", now)
    if from > to then options.usage_error "--from is later than --to" end
    local ids, names = session.feeds(client, rest)
    local write, written = session.report_writer(values.format, ids, names), 0
    for report in client:reports(ids[1], from, to) do
      write(report)
      written = written + 1
      if written == values.count then break end
    end
    if written == 0 then note "no report in that time" end
  end,
}

commands.decode = {
  summary = "show what full reports (hex) say; needs no account",
  usage = "decode HEX...   or   decode < FILE",
  run = function(_, values, rest)
    local reports, ids = {}, {}
    for i, text in ipairs(session.full_reports(rest)) do
      reports[i] = session.check(chainlink.decode(text))
      ids[i] = reports[i].feed_id
    end
    if #reports == 0 then options.usage_error "a full report is missing" end
    session.write_reports(values.format, reports, ids, {})
  end,
}

commands.version = {
  summary = "tell the version",
  usage = "version",
  run = function() session.print("chainlink-streams " .. chainlink._VERSION) end,
}

return commands
