-- SPDX-License-Identifier: MIT
-- The command line: finds the command, reads its options, turns errors into words and an exit code.
--   0 done   1 it failed   2 wrong usage   3 credentials missing or refused   4 a report is not verified   130 Ctrl-C

local chainlink = require "chainlink"
local advice = require "chainlink.cli.advice"
local core = require "chainlink.core"
local help = require "chainlink.cli.help"
local of_commands = require "chainlink.cli.table"
local options = require "chainlink.cli.options"
local outfile = require "chainlink.cli.outfile"
local output = require "chainlink.cli.output"
local session = require "chainlink.cli.session"
local suggest = require "chainlink.suggest"
local text = require "chainlink.text"

local cli = {}

local function print_all(lines)
  for _, line in ipairs(lines) do output.print(line) end
end

local NO_CREDENTIALS = [[
chainlink-streams: there are no credentials.
Set CHAINLINK_STREAMS_API_KEY and CHAINLINK_STREAMS_API_SECRET in the environment, or keep them in a file:
  chainlink-streams profile add work
  chainlink-streams feeds --profile work
Without an account, run the simulator:
  folder=$(mktemp -d)
  chainlink-streams simulate --env-file "$folder/env" >/dev/null &
  until [ -e "$folder/env" ]; do sleep 0.1; done; . "$folder/env"
]]

-- of_client: what the client takes of the options and the environment
local function with_client(command, values, rest, of_client)
  for name, value in pairs(command.client_options and command.client_options(values) or {}) do
    of_client[name] = value
  end
  local client = session.check(chainlink.client(of_client))
  local ok, result = pcall(command.run, client, values, rest)
  client:close()
  if not ok then error(result, 0) end
  return result
end

-- Runs it with its output in the file that --output names.
local function into_file(command, values, run)
  local file = outfile.open(values.output)
  output.redirect(file.handle, file.path)
  local ok, result = pcall(run)
  output.redirect()
  if ok or command.endless and session.is_interrupt(result) then session.check(file:finish())
  else
    local words = file:abandon()
    if words then output.note("%s", words) end
  end
  if not ok then error(result, 0) end
  return result
end

-- Is what it writes to go into the file of --output?
local function has_outfile(command, values)
  if not values.output or values.output == "-" then return false end
  return not (command.keeps_file and command.keeps_file(values))
end

local function run_command(command, arguments)
  local values, rest = options.parse(of_commands.options(command), arguments)
  if values.help then
    print_all(help.of(command))
    return 0
  end
  session.load_schemas(values)
  local of_client = command.network and not command.makes_client and session.client_options(values)
  if of_client and not (of_client.api_key and of_client.api_secret) then
    io.stderr:write(NO_CREDENTIALS)
    return 3
  end
  local function run()
    if of_client then return with_client(command, values, rest, of_client) or 0 end
    return command.run(nil, values, rest) or 0
  end
  if has_outfile(command, values) then return into_file(command, values, run) end
  return run()
end

local function unknown(name)
  local question = suggest.question(name, of_commands.names())
  options.usage_error("there is no command '%s'%schainlink-streams --help lists them", text.plain(name),
    question and ": " .. question .. " " or "; ")
end

local function dispatch(arguments)
  local name = arguments[1]
  local rest = {}
  for i = 2, #arguments do rest[i - 1] = arguments[i] end
  if name == "help" and rest[1] then name, rest = rest[1], { "--help" } end
  if name == nil or name == "--help" or name == "-h" or name == "help" then
    print_all(help.general())
    return name and 0 or 2
  end
  if name == "--version" then name = "version" end
  return run_command(of_commands.find(name) or unknown(name), rest)
end

local argument_kinds = { ConfigError = true, InvalidFeedIDError = true }

-- What to say about a failure, and its exit code.
local function explain(err)
  if err == output.CLOSED then return nil, 0 end
  if session.is_interrupt(err) then return nil, 130 end
  if options.is_usage_error(err) then return err.message, 2 end
  if not chainlink.is_error(err) then return text.plain(err), 1 end
  if argument_kinds[err.kind] then return text.plain(err.message), 2 end
  local words = text.plain(err)
  if err.kind == "AuthenticationError" and err.clock_skew and math.abs(err.clock_skew) > 5 then
    words = words .. ("\nThis computer's clock is %.0f seconds off."):format(math.abs(err.clock_skew))
  end
  return words .. advice.line(err), err.kind == "AuthenticationError" and 3 or 1
end

local function run(arguments)
  local code = dispatch(arguments)
  output.flush()
  return code
end

-- Ctrl-C is raised wherever the interpreter is: also after what it interrupted has failed for it, in here.
local function run_and_explain(arguments)
  local ok, result = pcall(run, arguments)
  if ok then return result end
  local message, code = explain(result)
  if message then io.stderr:write("chainlink-streams: ", message, "\n") end
  return code
end

--- Runs the command line `arguments` (without the program's name); the exit code.
function cli.main(arguments)
  core.ignore_sigpipe() -- writing to a reader that has gone fails, and is handled
  local ok, result = pcall(run_and_explain, arguments)
  if not ok then return select(2, explain(result)) end
  return result
end

return cli
