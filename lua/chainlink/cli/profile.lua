-- SPDX-License-Identifier: MIT
-- The command profile: keeps credentials and endpoints under a name. A secret comes from standard input, a descriptor
-- or a command, never as an argument, which every user of the computer can see.

local chainlink = require "chainlink"
local core = require "chainlink.core"
local options = require "chainlink.cli.options"
local output = require "chainlink.cli.output"
local profiles = require "chainlink.profiles"
local session = require "chainlink.cli.session"
local text = require "chainlink.text"

local function check_name(name)
  if not name then options.usage_error "the profile's name is missing" end
  if profiles.is_name(name) then return name end
  options.usage_error("'%s' is no name for a profile: give letters, digits, '.', '_' and '-'", text.plain(name))
end

local function read_line(what)
  if core.isatty(0) then io.stderr:write(what, ": ") end
  local line = io.stdin:read "*l"
  line = line and line:match "^%s*(.-)%s*$"
  if not line or line == "" then
    options.usage_error("the %s is missing: standard input has the API key on its first line, the secret on its second",
      what)
  end
  return line
end

local function read_secret()
  if not core.isatty(0) then return read_line "secret" end
  local line, err = core.read_secret "API secret (not shown): "
  if not line then error(err.message, 0) end
  return line
end

local function add(name, values)
  if profiles.find(profiles.all(), name) then options.usage_error("there is a profile '%s' already", name) end
  local profile = { name = name, network = values.network, rest_url = values["rest-url"], ws_url = values["ws-url"],
    ca_file = values["ca-file"], secret_command = values["secret-command"] }
  profile.api_key = read_line "API key"
  if values["secret-fd"] then profile.api_secret = profiles.from_fd(values["secret-fd"])
  elseif not profile.secret_command then profile.api_secret = read_secret() end
  local client = session.check(chainlink.client { api_key = profile.api_key, api_secret = profile.api_secret or "later",
    network = profile.network, rest_url = profile.rest_url, ws_url = profile.ws_url,
    tls = profile.ca_file and { ca_file = profile.ca_file } or nil })
  client:close()
  profiles.add(profile)
  output.note("profile '%s' is in %s", name, profiles.path())
end

local function shortened(key)
  return #key >= 16 and text.plain(key:sub(1, 4)) .. "... (" .. #key .. " characters)" or "kept, not shown"
end

-- A name and its value a line; or an object of them.
local function write(rows, kind)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = kind == "json" and ('"%s":%s'):format(row[1], text.json_string(row[2])) or ("%-12s%s"):format(row[1],
      row[2])
  end
  if kind == "json" then lines = { "{" .. table.concat(lines, ",") .. "}" } end
  for _, line in ipairs(lines) do output.print(line) end
end

local function show(name, values)
  local profile = profiles.get(name)
  local rows = { { "name", name }, { "api_key", profile.api_key and shortened(profile.api_key) or "none" } }
  local from_command = profile.secret_command and "what this prints: " .. text.plain(profile.secret_command)
  rows[3] = { "api_secret", profile.api_secret and "kept, not shown" or from_command or "none" }
  for _, setting in ipairs { "network", "rest_url", "ws_url", "ca_file" } do
    if profile[setting] then rows[#rows + 1] = { setting, text.plain(profile[setting]) } end
  end
  write(rows, values.format)
end

local function list(_, values)
  for _, profile in ipairs(profiles.all()) do
    if values.format == "json" then write({ { "name", profile.name } }, "json") else output.print(profile.name) end
  end
end

local actions = {
  add = add,
  show = show,
  list = list,
  remove = function(name)
    profiles.remove(name)
    output.note("profile '%s' is gone", name)
  end,
}

local only_add = { "network", "rest-url", "ws-url", "ca-file", "secret-command", "secret-fd" }
local only_told = { "format", "output" }

-- Does each option belong to the action?
local function check_options(action, values)
  for _, name in ipairs(only_add) do
    if values[name] and action ~= "add" then options.usage_error("--%s belongs to profile add", name) end
  end
  for _, name in ipairs(only_told) do
    if values[name] and action ~= "list" and action ~= "show" then
      options.usage_error("--%s belongs to profile list and profile show", name)
    end
  end
end

return {
  summary = "keep credentials under a name, in a file that only you can read",
  usage = "profile add|show|remove NAME   or   profile list",
  notes = "add reads the API key and the secret from standard input, a line each; the secret is not shown",
  options = {
    { name = "network", value = "mainnet|testnet", choices = { "mainnet", "testnet" }, help = "add: endpoints" },
    { name = "rest-url", value = "URL", help = "add: REST endpoint" },
    { name = "ws-url", value = "URL", help = "add: WebSocket endpoint" },
    { name = "ca-file", value = "FILE", help = "add: certificate authority" },
    { name = "secret-command", value = "COMMAND", help = "add: keep this command, which prints the secret, instead" },
    { name = "secret-fd", value = "N", number = "whole", low = 0, high = 65535,
      help = "add: read the secret from this descriptor" },
    { name = "format", value = "table|json", choices = { "table", "json" },
      help = "list, show: how to write (default: table); json is JSON Lines, one object a line" },
    session.output_option,
  },
  unformatted = true,
  run = function(_, values, rest)
    local action = actions[rest[1]]
    if not action then options.usage_error "expected profile add, list, show or remove" end
    local most = rest[1] == "list" and 1 or 2
    if #rest > most then options.usage_error("'%s' is one too many", text.plain(rest[most + 1])) end
    check_options(rest[1], values)
    action(rest[1] ~= "list" and check_name(rest[2]) or nil, values)
  end,
}
