-- SPDX-License-Identifier: MIT
-- The commands that ask once: feeds, latest, at, decode, version.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local format = require "chainlink.cli.format"
local input = require "chainlink.cli.input"
local names = require "chainlink.cli.names"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local template = require "chainlink.cli.template"
local text = require "chainlink.text"
local times = require "chainlink.cli.time"

local commands = {}

commands.feeds = {
  summary = "list the feeds that your key may read, or find some",
  usage = "feeds [--asset BTC] [--class Crypto] [--search TEXT]",
  notes = "with any of the three, the service's catalogue is searched",
  network = true,
  options = {
    { name = "asset", value = "BASE,...", help = "of these base assets" },
    { name = "class", value = "CLASS,...", help = "of these asset classes" },
    { name = "search", value = "TEXT", help = "whose id, name or asset's name has the text" },
  },
  run = function(client, values, rest)
    if #rest > 0 then options.usage_error("feeds takes no argument, got '%s'", rest[1]) end
    local searches = values.asset or values.class or values.search
    local feeds, err
    if searches then feeds, err = names.search(client, values.asset, values.class, values.search)
    else feeds, err = client:get_feeds() end
    session.check(feeds, err)
    for _, line in ipairs(format.feeds(feeds, values.format, chainlink.schemas, output.bold)) do output.print(line) end
    if #feeds == 0 then output.note "no feed fits" end
  end,
}

commands.latest = {
  summary = "the newest report of one or more feeds",
  usage = "latest FEED... [-f TEMPLATE]",
  network = true,
  options = { template.option },
  run = function(client, values, rest)
    local kind = session.kind(values)
    local ids, known = names.feeds(client, rest, kind)
    local reports = {}
    for i, id in ipairs(ids) do reports[i] = session.check(client:get_latest_report(id)) end
    session.write_reports(kind, reports, ids, known)
  end,
}

commands.at = {
  summary = "the reports of feeds at one time",
  usage = "at TIME FEED...",
  notes = "TIME: " .. times.forms,
  network = true,
  run = function(client, values, rest)
    if #rest < 2 then options.usage_error "at needs a time and a feed" end
    local time = options.time(rest[1], os.time())
    table.remove(rest, 1)
    local ids, known = names.feeds(client, rest, values.format)
    local reports, missing
    if #ids == 1 then
      reports, missing = { session.check(client:get_report(ids[1], time)) }, {}
    else
      reports, missing = session.check(client:get_reports(ids, time))
    end
    session.write_reports(values.format, reports, ids, known)
    for _, id in ipairs(missing) do
      output.note("%s%s has no report at %d", known[id] and known[id] .. " " or "", id, time)
    end
    return #missing == 0 and 0 or 1
  end,
}

-- A function that writes a report, and one that ends it. The first one is held back: a table shows it in full when
-- it is alone; for CSV all are, since its columns depend on them.
local function late_writer(kind)
  if kind == "json" then return session.report_writer(kind, {}, {}), function() end end
  local held, ids, write = {}, {}, nil
  local function put(report)
    if write then
      write(report)
      return
    end
    held[#held + 1], ids[#ids + 1] = report, report.feed_id
    if kind == "csv" or #held == 1 then return end
    write = session.report_writer(kind, ids, {})
    for _, one in ipairs(held) do write(one) end
    held = {}
  end
  return put, function()
    if #held > 0 then session.write_reports(kind, held, ids, {}) end
  end
end

commands.decode = {
  summary = "show what full reports say; needs no account",
  usage = "decode HEX|FILE...   or   decode < FILE",
  notes = "FILE: lines of hex, or JSON of this program or of the service\n"
    .. "exit code 1: something is no full report; it is named, and the rest is shown",
  run = function(_, values, rest)
    local write, finish = late_writer(values.format)
    local _, faults = input.each(rest, function(hex)
      local report, err = chainlink.decode(hex)
      if report then write(report) end
      return report ~= nil, err
    end)
    finish()
    return faults == 0 and 0 or 1
  end,
}

-- What a report of a fault should have: the versions, as the libraries tell them. One that cannot be loaded is left
-- out.
local function version_json()
  local libraries, members = core.versions(), {}
  for _, name in ipairs { "libcurl", "libwebsockets", "openssl" } do
    local told = libraries[name]
    members[#members + 1] = told and ('"%s":%s'):format(name, text.json_string(told))
  end
  local lua = rawget(_G, "jit") and jit.version or _VERSION -- luacheck: ignore 113
  return ('{"name":"chainlink-streams","version":%s,"lua":%s,"libraries":{%s}}'):format(
    text.json_string(chainlink._VERSION), text.json_string(lua), table.concat(members, ","))
end

commands.version = {
  summary = "tell the version",
  usage = "version [--json]",
  unformatted = true,
  options = { { name = "json", help = "as a JSON object, with those of Lua and of the libraries" } },
  run = function(_, values, rest)
    if #rest > 0 then options.usage_error("version takes no argument, got '%s'", rest[1]) end
    output.print(values.json and version_json() or "chainlink-streams " .. chainlink._VERSION)
  end,
}

return commands
