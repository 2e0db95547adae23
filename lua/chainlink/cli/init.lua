-- SPDX-License-Identifier: MIT
-- The command line: finds the command, reads its options, turns errors into words and an exit code.
--   0 done   1 it failed   2 wrong usage   3 credentials missing or refused   4 a report is not verified   130 Ctrl-C

local chainlink = require "chainlink"
local commands = require "chainlink.cli.commands"
local options = require "chainlink.cli.options"
local session = require "chainlink.cli.session"

local cli = {}

commands.stream = require "chainlink.cli.stream"
commands.verify = require "chainlink.cli.verify"

local order = { "feeds", "latest", "at", "history", "stream", "decode", "verify", "simulate", "version" }

local help_option = { name = "help", help = "this text" }

local function rows_of(command)
  local rows = {}
  for _, row in ipairs(command.options or {}) do rows[#rows + 1] = row end
  if command ~= commands.version then rows[#rows + 1] = session.format_option end
  if command.network then
    for _, row in ipairs(session.network_options) do rows[#rows + 1] = row end
  end
  rows[#rows + 1] = help_option
  return rows
end

local function write_help(command)
  session.print("usage: chainlink-streams " .. command.usage .. " [options]")
  session.print("       " .. command.summary)
  if command.notes then session.print("       " .. command.notes) end
  session.print ""
  for _, row in ipairs(rows_of(command)) do
    session.print(("  %-30s %s"):format("--" .. row.name .. (row.value and " " .. row.value or ""), row.help))
  end
  if command.network then
    session.print "\nFEED is a feed id (0x and 64 hex digits) or the name of a feed."
    session.print "Credentials come from CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET."
  end
end

local function general_help()
  session.print("chainlink-streams " .. chainlink._VERSION .. ": Chainlink Data Streams on the command line\n")
  session.print "usage: chainlink-streams COMMAND [arguments]\n"
  for _, name in ipairs(order) do
    local summary = name == "simulate" and "run a Data Streams service on this computer; needs no account"
      or commands[name].summary
    session.print(("  %-10s %s"):format(name, summary))
  end
  session.print "\nchainlink-streams COMMAND --help tells more."
  session.print "exit codes: 0 done, 1 failed, 2 wrong usage, 3 credentials missing or refused,"
  session.print "4 a report is not verified, 130 interrupted"
end

local function has_credentials()
  local key = os.getenv "CHAINLINK_STREAMS_API_KEY" or os.getenv "STREAMS_API_KEY"
  local secret = os.getenv "CHAINLINK_STREAMS_API_SECRET" or os.getenv "STREAMS_API_SECRET"
  return key and secret and key ~= "" and secret ~= ""
end

local NO_CREDENTIALS = [[
chainlink-streams: there are no credentials.
Set CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET in the environment.
Without an account, run the simulator:
  chainlink-streams simulate --env-file /tmp/streams.env &
  . /tmp/streams.env
]]

local function run_command(command, arguments)
  local values, rest = options.parse(rows_of(command), arguments)
  if values.help then
    write_help(command)
    return 0
  end
  if not command.network then return command.run(nil, values, rest) or 0 end
  if not has_credentials() then
    io.stderr:write(NO_CREDENTIALS)
    return 3
  end
  local client = session.client(values, command.client_options and command.client_options(values))
  local ok, result = pcall(command.run, client, values, rest)
  client:close()
  if not ok then error(result, 0) end
  return result or 0
end

local function dispatch(arguments)
  local name = arguments[1]
  local rest = {}
  for i = 2, #arguments do rest[i - 1] = arguments[i] end
  if name == nil or name == "--help" or name == "-h" or name == "help" then
    general_help()
    return name and 0 or 2
  end
  if name == "--version" then name = "version" end
  if name == "simulate" then return require "chainlink.cli.simulate"(rest) or 0 end
  if not commands[name] then
    options.usage_error("there is no command '%s'; chainlink-streams --help lists them", name)
  end
  return run_command(commands[name], rest)
end

local argument_kinds = { ConfigError = true, InvalidFeedIDError = true }

-- What to say about a failure, and its exit code.
local function explain(err)
  if err == session.CLOSED_OUTPUT then return nil, 0 end
  if session.is_interrupt(err) then return nil, 130 end
  if options.is_usage_error(err) then return err.message, 2 end
  if not chainlink.is_error(err) then return tostring(err), 1 end
  if argument_kinds[err.kind] then return err.message, 2 end
  if err.kind ~= "AuthenticationError" then return tostring(err), 1 end
  local hint = ""
  if err.clock_skew and math.abs(err.clock_skew) > 5 then
    hint = ("\nThis computer's clock is %.0f seconds off."):format(math.abs(err.clock_skew))
  end
  return tostring(err) .. hint, 3
end

--- Runs the command line `arguments` (without the program's name); the exit code.
function cli.main(arguments)
  local ok, result = pcall(dispatch, arguments)
  if ok then return result end
  local message, code = explain(result)
  if message then io.stderr:write("chainlink-streams: ", message, "\n") end
  return code
end

return cli
