-- SPDX-License-Identifier: MIT
-- What the commands share: the client by the options and the environment, and the output.

local chainlink = require "chainlink"
local environment = require "chainlink.environment"
local format = require "chainlink.cli.format"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local profiles = require "chainlink.later" "chainlink.profiles"
local template = require "chainlink.cli.template"
local text = require "chainlink.text"

local session = {}

local unpack = table.unpack or unpack -- luacheck: ignore 113 143

session.format_option = { name = "format", value = "table|json|csv", choices = { "table", "json", "csv" },
  default = "table", help = "how to write (default: table); json is JSON Lines, one object a line" }

session.output_option = { name = "output", short = "o", value = "FILE",
  help = "write there; FILE.part until it is whole" }

session.schemas_option = { name = "schemas", value = "FILE", help = "JSON file of further report schemas" }

--- How to write: by the template where there is one, which the format of session.report_writer then is.
function session.kind(values)
  return values.template and template.compile(values.template) or values.format
end

--- Adds what --schemas names.
function session.load_schemas(values)
  if values.schemas then session.check(chainlink.schemas:load(values.schemas)) end
end

session.network_options = {
  { name = "network", value = "mainnet|testnet", choices = { "mainnet", "testnet" },
    help = "endpoints (default: mainnet)" },
  { name = "profile", value = "NAME", help = "credentials and endpoints that `profile add NAME` keeps" },
  { name = "secret-command", value = "COMMAND", help = "the secret is what this prints" },
  { name = "secret-fd", value = "N", number = "whole", low = 0, high = 65535,
    help = "the secret is read from this descriptor" },
  { name = "rest-url", value = "URL", help = "REST endpoint" },
  { name = "ws-url", value = "URL", help = "WebSocket endpoint" },
  { name = "ca-file", value = "FILE", help = "certificate authority" },
  { name = "verbose", help = "log to standard error" },
}

--- Is this what the interpreter raises when the user presses Ctrl-C?
function session.is_interrupt(err)
  return type(err) == "string" and err:find "interrupted!$" ~= nil
end

--- A logger: lines on standard error.
function session.log(level, message)
  io.stderr:write("# ", level, ": ", text.plain(message), "\n")
end

-- The secret as an option gives it, nil when none does.
local function secret_of(values)
  local command, fd = values["secret-command"], values["secret-fd"]
  if command and fd then options.usage_error "give either --secret-command or --secret-fd, not both" end
  if command then return profiles.from_command(command) end
  return fd and profiles.from_fd(fd)
end

--- What a client takes of the options, and under them of the profile or the environment; -> it, and the variables that
--- gave the credentials (chainlink.environment).
function session.client_options(values)
  local given = { profile = values.profile, network = values.network, rest_url = values["rest-url"],
    ws_url = values["ws-url"], api_secret = secret_of(values) }
  if values["ca-file"] then given.tls = { ca_file = values["ca-file"] } end
  if values.verbose then given.logger, given.log_level = session.log, "debug" end
  local collected, found = environment.collect(given)
  if collected.profile then collected = profiles.fill(collected) end
  return collected, found
end

--- The value, or the raised error.
function session.check(value, err, ...)
  if value == nil then error(err, 0) end
  return value, err, ...
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

--- Has one of these feeds times in milliseconds?
function session.has_ms(ids)
  for _, id in ipairs(ids) do
    if chainlink.feed_resolution(id) == "ms" then return true end
  end
  return false
end

--- A function that writes one report after another in the format asked for, or by a template.
function session.report_writer(kind, ids, names, paint)
  if type(kind) == "function" then
    return function(report) output.write(kind(report, names[report.feed_id])) end
  end
  if kind == "json" then
    return function(report) output.print(format.report_json(report, names[report.feed_id])) end
  end
  if kind == "csv" then
    local columns = format.report_columns(chainlink.schemas, session.versions(ids), session.has_ms(ids))
    output.print(format.csv_line(columns))
    return function(report)
      output.print(format.report_csv(report, columns, chainlink.schemas, names[report.feed_id]))
    end
  end
  local in_ms = session.has_ms(ids)
  output.print(output.bold(format.report_heading(in_ms)))
  return function(report)
    output.print(format.report_row(report, names[report.feed_id] or format.short_id(report.feed_id), paint,
      in_ms))
  end
end

--- Writes reports that are all here; a single one in full.
function session.write_reports(kind, reports, ids, names)
  if #reports == 1 and kind == "table" then
    local report = reports[1]
    output.print(unpack(format.report_details(report, chainlink.schemas, names[report.feed_id])))
    return
  end
  local write = session.report_writer(kind, ids, names)
  for _, report in ipairs(reports) do write(report) end
end

return session
