-- SPDX-License-Identifier: MIT
-- Credentials and endpoints under a name, in a file that only its owner may read:
--   [work]
--   api_key = …
--   api_secret = …        or  secret_command = pass show streams
--   network = testnet     and rest_url, ws_url, price_url, ca_file

local core = require "chainlink.core"
local errors = require "chainlink.errors"

local profiles = {}

local settings = { "api_key", "api_secret", "secret_command", "network", "rest_url", "ws_url", "price_url",
  "ca_file" }
local is_setting = {}
for _, name in ipairs(settings) do is_setting[name] = true end

local function raise(...) errors.raise("ConfigError", (...):format(select(2, ...))) end

--- Where the profiles are: below XDG_CONFIG_HOME, which is ~/.config where it is not set.
function profiles.path()
  local folder, home = os.getenv "XDG_CONFIG_HOME", os.getenv "HOME"
  if not folder or not folder:find "^/" then
    if not home or home == "" then raise "profiles are in a folder of the user, and HOME is not set" end
    folder = home .. "/.config"
  end
  return folder .. "/chainlink-streams/profiles.ini"
end

function profiles.is_name(name)
  return type(name) == "string" and #name <= 64 and name:find "^%w[%w._-]*$" ~= nil
end

-- ---- the file ----

-- One line into the list; -> what is wrong. No value is told: it may be a secret in the wrong place.
local function take_line(list, line)
  local name = line:match "^%[(.*)%]$"
  local profile = list[#list]
  if line == "" or line:find "^[#;]" then return nil end
  if name then
    if not profiles.is_name(name) then return "a profile's name has letters, digits, '.', '_' and '-'" end
    if profiles.find(list, name) then return "the profile is there twice" end
    list[#list + 1] = { name = name }
    return nil
  end
  local setting, value = line:match "^([%w_]+)%s*=%s*(.*)$"
  if not setting then return "expected [profile] or setting = value" end
  if not profile then return "expected [profile] first" end
  if not is_setting[setting] then return "there is no such setting; expected " .. table.concat(settings, ", ") end
  if profile[setting] then return setting .. " is there twice" end
  if value == "" then return setting .. " is empty" end
  profile[setting] = value
end

--- Text of the file as an array of profiles; wrong text raises, with its line.
function profiles.parse(text, path)
  local list, number = {}, 0
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    number = number + 1
    local wrong = take_line(list, line:match "^%s*(.-)%s*$")
    if wrong then raise("%s, line %d: %s", path, number, wrong) end
  end
  return list
end

local function format(list)
  local lines = {}
  for _, profile in ipairs(list) do
    lines[#lines + 1] = (#lines > 0 and "\n" or "") .. "[" .. profile.name .. "]"
    for _, setting in ipairs(settings) do
      if profile[setting] then lines[#lines + 1] = setting .. " = " .. profile[setting] end
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

--- All profiles, in the file's order. A file that others may read, or that is wrong, raises a ConfigError.
function profiles.all()
  local path = profiles.path()
  local text, err, is_missing = core.read_private(path)
  if text then return profiles.parse(text, path) end
  if is_missing then return {} end
  errors.throw(err)
end

function profiles.find(list, name)
  for place, profile in ipairs(list) do
    if profile.name == name then return profile, place end
  end
end

--- The profile of that name, or a ConfigError.
function profiles.get(name)
  local profile = profiles.find(profiles.all(), name)
  if profile then return profile end
  raise("there is no profile '%s' in %s; chainlink-streams profile add %s makes it", name, profiles.path(), name)
end

local function save(list)
  local written, err = core.write_private(profiles.path(), format(list))
  if not written then errors.throw(err) end
end

--- Keeps one more. A name that is there, and a value that no line can have, raise.
function profiles.add(profile)
  local list = profiles.all()
  if profiles.find(list, profile.name) then raise("there is a profile '%s' already", profile.name) end
  for _, setting in ipairs(settings) do
    local value = profile[setting]
    if value and (value == "" or value:find "%c" or value:find "^%s" or value:find "%s$") then
      raise("%s is empty, or has a control character or a space at an end", setting)
    end
  end
  list[#list + 1] = profile
  save(list)
end

function profiles.remove(name)
  local list = profiles.all()
  local _, place = profiles.find(list, name)
  if not place then raise("there is no profile '%s' in %s", name, profiles.path()) end
  table.remove(list, place)
  save(list)
end

-- ---- what a client takes of one ----

-- The first line and nothing else: what is printed behind it would be sent as a part of the secret.
local function only_line(text, from)
  local line = text:match "^([^\r\n]+)\r?\n?$"
  if not line then raise("%s gave %s, expected one line", from, text == "" and "nothing" or "several lines") end
  return line
end

--- The secret that a command of the shell prints.
function profiles.from_command(command)
  local pipe, why = io.popen(command, "r")
  if not pipe then raise("the secret's command cannot be run: %s", why) end
  local text = pipe:read "*a" or ""
  local closed, _, code = pipe:close()
  if not closed then raise("the secret's command failed (exit code %s)", tostring(code)) end
  return only_line(text, "the secret's command")
end

--- The secret that can be read from a descriptor of this process.
function profiles.from_fd(fd)
  local text, err = core.read_fd(fd)
  if not text then raise("descriptor %d, for the secret, %s", fd, err.message) end
  return only_line(text, ("descriptor %d, for the secret,"):format(fd))
end

--- The options with those of their profile under them, without `profile`.
function profiles.fill(given)
  local name, options = given.profile, {}
  if name == nil then return given end
  if not profiles.is_name(name) then
    raise("option 'profile' must be a profile's name, got %s", errors.describe(name))
  end
  local profile = profiles.get(name)
  for key, value in pairs(given) do
    if key ~= "profile" then options[key] = value end
  end
  for _, setting in ipairs { "api_key", "api_secret" } do
    if options[setting] == nil then options[setting] = profile[setting] end
  end
  if options.api_secret == nil and profile.secret_command then
    options.api_secret = profiles.from_command(profile.secret_command)
  end
  if given.network == nil then
    options.network = profile.network
    for _, setting in ipairs { "rest_url", "ws_url", "price_url" } do
      if options[setting] == nil then options[setting] = profile[setting] end
    end
  end
  if options.tls == nil and profile.ca_file then options.tls = { ca_file = profile.ca_file } end
  return options
end

return profiles
