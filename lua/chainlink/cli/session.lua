-- SPDX-License-Identifier: MIT
-- What the commands share: the client by the options and the environment, the output, feeds by name.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local format = require "chainlink.cli.format"
local options = require "chainlink.cli.options"

local session = {}

session.format_option = { name = "format", value = "table|json|csv", choices = { "table", "json", "csv" },
  help = "how to write (default: table)" }

session.network_options = {
  { name = "network", value = "mainnet|testnet", choices = { "mainnet", "testnet" },
    help = "endpoints (default: mainnet)" },
  { name = "rest-url", value = "URL", help = "REST endpoint" },
  { name = "ws-url", value = "URL", help = "WebSocket endpoint" },
  { name = "ca-file", value = "FILE", help = "certificate authority" },
  { name = "verbose", help = "log to standard error" },
}

--- Ends the command without a word: whoever read the output has gone.
session.CLOSED_OUTPUT = {}

function session.print(line)
  if not io.stdout:write(line, "\n") then error(session.CLOSED_OUTPUT, 0) end
end

--- Is this what the interpreter raises when the user presses Ctrl-C?
function session.is_interrupt(err)
  return type(err) == "string" and err:find("interrupted!", 1, true) ~= nil
end

local function to_terminal()
  return core.isatty(1) and not os.getenv "NO_COLOR"
end

function session.bold(text)
  return to_terminal() and "\27[1m" .. text .. "\27[0m" or text
end

function session.colour(text, code)
  return to_terminal() and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

local function log(level, message)
  io.stderr:write("# ", level, ": ", format.plain(message), "\n")
end

--- A client by the options over the environment; extra (optional) are more client options.
function session.client(values, extra)
  local overrides = extra or {}
  overrides.network, overrides.rest_url, overrides.ws_url = values.network, values["rest-url"], values["ws-url"]
  if values["ca-file"] then overrides.tls = { ca_file = values["ca-file"] } end
  if values.verbose then overrides.logger, overrides.log_level = log, "debug" end
  local client, err = chainlink.client_from_env(overrides)
  if not client then error(err, 0) end
  return client
end

--- The value, or the raised error.
function session.check(value, err, ...)
  if value == nil then error(err, 0) end
  return value, err, ...
end

local function feed_by_name(feeds, name)
  local found
  for _, feed in ipairs(feeds) do
    if type(feed.name) == "string" and feed.name:lower() == name:lower() then
      if found then options.usage_error("more than one feed is named '%s': give the id", name) end
      found = feed
    end
  end
  if not found then
    options.usage_error("no feed is named '%s'; `chainlink-streams feeds` lists those that your key may read", name)
  end
  return found
end

--- Feed ids for ids and names, and what to call each in a table.
function session.feeds(client, arguments)
  local ids, names, feeds = {}, {}, nil
  if #arguments == 0 then options.usage_error "a feed is missing: give its id or name" end
  for i, argument in ipairs(arguments) do
    if argument:find "^0[xX]" then
      ids[i] = argument:lower()
    else
      feeds = feeds or session.check(client:get_feeds())
      ids[i] = feed_by_name(feeds, argument).id
      names[ids[i]] = argument
    end
  end
  return ids, names
end

--- Full reports as text: the arguments, or the lines of standard input.
function session.full_reports(rest)
  if #rest > 0 and rest[1] ~= "-" then return rest end
  local texts = {}
  for line in io.lines() do
    line = line:match "^%s*(.-)%s*$"
    if line ~= "" then texts[#texts + 1] = line end
  end
  return texts
end

--- The versions of these feeds, each once, ascending.
function session.versions(ids)
  local versions, seen = {}, {}
  for _, id in ipairs(ids) do
    local version = chainlink.feed_version(id)
    if not seen[version] then versions[#versions + 1] = version end
    seen[version] = true
  end
  table.sort(versions)
  return versions
end

--- A function that writes one report after another in the format asked for.
function session.report_writer(kind, ids, names, paint)
  if kind == "json" then
    return function(report) session.print(report:to_json()) end
  end
  if kind == "csv" then
    local columns = format.report_columns(chainlink.schemas, session.versions(ids))
    session.print(format.csv_line(columns))
    return function(report) session.print(format.report_csv(report, columns)) end
  end
  session.print(session.bold(format.report_heading))
  return function(report)
    session.print(format.report_row(report, names[report.feed_id] or format.short_id(report.feed_id), paint))
  end
end

--- Writes reports that are all here; a single one in full.
function session.write_reports(kind, reports, ids, names)
  if #reports == 1 and kind ~= "csv" and kind ~= "json" then
    for _, line in ipairs(format.report_details(reports[1], chainlink.schemas)) do session.print(line) end
    return
  end
  local write = session.report_writer(kind, ids, names)
  for _, report in ipairs(reports) do write(report) end
end

return session
