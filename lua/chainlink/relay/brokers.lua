-- SPDX-License-Identifier: MIT
-- Where Kafka is: kafka://host[:port][,host[:port]…]/topic, and further settings of librdkafka's.

local errors = require "chainlink.errors"

local brokers = {}

local function refuse(name, what)
  errors.raise("ConfigError", name .. " must be kafka://host:port[,host:port...]/topic: " .. what,
    { expected = "a URL of Kafka" })
end

--- -> {servers = "host:port,…", topic=}. `name` is the option's; what is wrong raises.
function brokers.parse(text, name)
  if type(text) ~= "string" then refuse(name, "got " .. errors.describe(text, true)) end
  local servers, topic = text:match "^kafka://([%w%-._:,%[%]]+)/([%w%-._]+)$"
  if not servers or #topic > 249 then refuse(name, "it is none") end
  return { servers = servers, topic = topic }
end

--- The settings as librdkafka's binding takes them; those of the program win.
function brokers.settings(access, own, given)
  local all, list = { ["bootstrap.servers"] = access.servers }, {}
  for name, value in pairs(own) do all[name] = value end
  for name, value in pairs(given or {}) do all[name] = value end
  for name, value in pairs(all) do list[#list + 1], list[#list + 2] = name, value end
  return list
end

--- Is the value a table of such settings?
function brokers.are_settings(value)
  if type(value) ~= "table" then return false end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" then return false end
  end
  return true
end

--- Those of a file, name=value a line, # begins a comment. -> table | nil, err
function brokers.read(path)
  local file, why = io.open(path, "r")
  if not file then return nil, errors.new("FileError", why) end
  local settings, number = {}, 0
  for line in file:lines() do
    number = number + 1
    local name, value = line:match "^%s*([%w._]+)%s*=%s*(.-)%s*$"
    if name then settings[name] = value
    elseif line:find "^%s*[^#%s]" then
      file:close()
      return nil, errors.new("ConfigError", ("%s:%d: a line name=value is expected"):format(path, number))
    end
  end
  file:close()
  return settings
end

return brokers
