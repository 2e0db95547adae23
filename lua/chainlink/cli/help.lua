-- SPDX-License-Identifier: MIT
-- The texts of --help, from the table of commands.

local chainlink = require "chainlink"
local of_commands = require "chainlink.cli.table"

local help = {}

local COLUMN = 33 -- where the words about an option begin

help.exit_codes = {
  { "0", "done" }, { "1", "failed" }, { "2", "wrong usage" }, { "3", "credentials missing or refused" },
  { "4", "a report is not verified" }, { "130", "interrupted (Ctrl-C)" },
}

--- "--output FILE, -o FILE": an option as it is written.
function help.option(row)
  local value = row.value and " " .. row.value or ""
  return "--" .. row.name .. value .. (row.short and ", -" .. row.short .. value or "")
end

local OF_NETWORK = [[
FEED is a feed id (0x and 64 hex digits) or the name of a feed.
Credentials come from CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET, or --profile.]]

local function codes()
  local parts = {}
  for i, code in ipairs(help.exit_codes) do parts[i] = code[1] .. " " .. code[2] end
  return "exit codes: " .. table.concat(parts, ", ", 1, 4) .. ",\n" .. table.concat(parts, ", ", 5)
end

--- All commands, a line each. -> lines
function help.general()
  local lines = { "chainlink-streams " .. chainlink._VERSION .. ": Chainlink Data Streams on the command line\n",
    "usage: chainlink-streams COMMAND [arguments]\n" }
  for _, name in ipairs(of_commands.names()) do
    lines[#lines + 1] = ("  %-10s %s"):format(name, of_commands.find(name).summary)
  end
  lines[#lines + 1] = "\nchainlink-streams COMMAND --help tells more."
  lines[#lines + 1] = codes()
  return lines
end

local function option_line(row)
  local words = "  " .. help.option(row)
  return #words < COLUMN and words .. (" "):rep(COLUMN - #words) .. row.help
    or words .. "\n" .. (" "):rep(COLUMN) .. row.help
end

--- One command with its options. -> lines
function help.of(command)
  local lines = {}
  for i, usage in ipairs(of_commands.usages(command)) do
    lines[i] = (i == 1 and "usage: " or "       ") .. "chainlink-streams " .. usage .. " [options]"
  end
  lines[#lines + 1] = "       " .. command.summary
  for line in ((command.notes or "") .. "\n"):gmatch "([^\n]+)\n" do lines[#lines + 1] = "       " .. line end
  lines[#lines + 1] = ""
  for _, row in ipairs(of_commands.options(command)) do
    lines[#lines + 1] = option_line(row)
  end
  if command.network then lines[#lines + 1] = "\n" .. OF_NETWORK end
  if command.more then lines[#lines + 1] = "\n" .. command.more end
  return lines
end

return help
