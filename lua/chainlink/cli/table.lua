-- SPDX-License-Identifier: MIT
-- The one table of commands: help, completions, manual pages and their checks are made of it. A new command is a line
-- here.
--
-- A command is a table:
--   summary  a line, in small letters         usage    the command's name, its arguments and main options
--   options  rows for chainlink.cli.options   run      function(client or nil, values, arguments) -> exit code or nil
--   notes    further lines, optional          more     a text that is set as it is, optional
--   network  it asks the service              unformatted  of --format, --schemas and --output it has its own alone
--   endless  it ends by Ctrl-C: what it has written until then is whole
--   makes_client  of those that ask: it makes its client itself, and gets nil
--   client_options  function(values) -> more options of its client, optional
--   keeps_file  function(values) -> does it make the file of its --output itself? Optional; else that is done for it

local commands = require "chainlink.cli.commands"
local session = require "chainlink.cli.session"

local of_commands = {}

-- In the order in which help lists them.
local rows = {
  { "feeds", commands.feeds },
  { "latest", commands.latest },
  { "at", commands.at },
  { "history", require "chainlink.cli.history" },
  { "stream", require "chainlink.cli.stream" },
  { "top", require "chainlink.cli.top" },
  { "replay", require "chainlink.cli.replay" },
  { "convert", require "chainlink.cli.convert" },
  { "relay", require "chainlink.cli.relay" },
  { "serve", require "chainlink.cli.serve" },
  { "decode", commands.decode },
  { "verify", require "chainlink.cli.verify" },
  { "doctor", require "chainlink.cli.doctor" },
  { "profile", require "chainlink.cli.profile" },
  { "simulate", require "chainlink.cli.simulate" },
  { "completion", require "chainlink.cli.completion" },
  { "version", commands.version },
}

local help_option = { name = "help", help = "this text" }

--- The command of that name; nil: there is none.
function of_commands.find(name)
  for _, row in ipairs(rows) do
    if row[1] == name then return row[2] end
  end
end

--- The names, in order.
function of_commands.names()
  local names = {}
  for i, row in ipairs(rows) do names[i] = row[1] end
  return names
end

local function add(list, seen, more)
  for _, option in ipairs(more) do
    if not seen[option.name] then list[#list + 1] = option end
    seen[option.name] = true
  end
end

--- The rows of all options that a command takes: its own, and those of all that are like it. One of its own stands.
function of_commands.options(command)
  local list, seen = {}, {}
  add(list, seen, command.options or {})
  if not command.unformatted then
    add(list, seen, { session.format_option, session.output_option, session.schemas_option })
  end
  if command.network then add(list, seen, session.network_options) end
  add(list, seen, { help_option })
  return list
end

--- The ways to use it, each a text that begins with the command's name.
function of_commands.usages(command)
  local list = {}
  for usage in (command.usage .. "   or   "):gmatch "(.-)%s+or%s%s+" do list[#list + 1] = usage end
  return list
end

local function wants_files(value) return value:find "FILE" ~= nil or value:find "DIR" ~= nil end

--- What can be completed in the place of an option's value: {words = {…}}, {files = true} or {}; nil: it takes none.
function of_commands.values(option)
  if not option.value then return nil end
  if option.choices then return { words = option.choices } end
  return { files = wants_files(option.value) or nil }
end

--- The same for the arguments: words come first, files everywhere. By its usage: "bash|zsh|fish" are words.
function of_commands.arguments(command)
  local words, files = {}, nil
  for _, usage in ipairs(of_commands.usages(command)) do
    local arguments = usage:gsub("%[%-.*$", ""):gsub("%-%-.*$", "")
    local first = (arguments .. " "):match "^%S+ %[?([%l|]+)%]?%s"
    for word in (first or ""):gmatch "%l+" do words[#words + 1] = word end
    files = files or wants_files(arguments) or nil
  end
  return { words = #words > 0 and words or nil, files = files }
end

return of_commands
