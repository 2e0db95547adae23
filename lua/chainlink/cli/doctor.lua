-- SPDX-License-Identifier: MIT
-- The command doctor: what a client needs, looked at one thing after the other, a line each.

local chainlink = require "chainlink"
local doctor = require "chainlink.doctor"
local findings = require "chainlink.doctor.findings"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"

local FIRST_REPORT_SECONDS = 10

local colours = { ok = output.green, warn = output.yellow, fail = output.red }

local function paint(text, status) return colours[status](text) end

-- Where the credentials are from, in words.
local function source_of(values, found)
  local names = {}
  if values.profile then names[1] = "profile " .. values.profile end
  for _, name in ipairs { found.api_key or false, found.api_secret or false } do
    if name then names[#names + 1] = name end
  end
  if values["secret-command"] then names[#names + 1] = "--secret-command" end
  if values["secret-fd"] then names[#names + 1] = "--secret-fd" end
  return table.concat(names, " and ")
end

return {
  summary = "look at all that is needed, and say what is wrong",
  usage = "doctor [FEED...] [--format json] [--signers FILE]",
  notes = "one line each: ok, warn or fail, what was looked at, what was found; what to do\n"
    .. "exit code 0: nothing fails, 1: something does",
  network = true,
  makes_client = true,
  options = {
    { name = "format", value = "text|json", choices = { "text", "json" },
      help = "how to write (default: text); json is JSON Lines: status, check, message, advice" },
    { name = "json", help = "the same as --format json" },
    { name = "signers", value = "FILE", help = "verify each feed's newest report by these, as `verify` does" },
    { name = "seconds", value = "N", number = true,
      help = ("wait so long for a stream's first report (%d)"):format(FIRST_REPORT_SECONDS) },
  },
  run = function(_, values, rest)
    if values.json and values.format == "text" then options.usage_error "--json is --format json" end
    local as_json = values.json or values.format == "json"
    local of_client, found = session.client_options(values)
    local signers = values.signers and session.check(chainlink.signers.from_file(values.signers))
    local failures = doctor.examine {
      options = of_client, from = source_of(values, found), feeds = rest, signers = signers,
      seconds = values.seconds or FIRST_REPORT_SECONDS,
      tell = function(finding)
        output.print(as_json and findings.json(finding) or findings.line(finding, paint))
        output.flush()
      end,
    }
    return failures > 0 and 1 or 0
  end,
}
