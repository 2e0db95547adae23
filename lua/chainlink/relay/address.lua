-- SPDX-License-Identifier: MIT
-- Where Redis is: redis://[user[:password]@]host[:port][,host[:port]…][/database] or unix:PATH.

local errors = require "chainlink.errors"

local address = {}

local PORT = 6379

-- What the URL says may hold a password, and is not repeated.
local function refuse(name, what)
  errors.raise("ConfigError", name .. " must be redis://[user:password@]host:port[,host:port...][/database] or "
    .. "unix:PATH: " .. what, { expected = "a URL of Redis" })
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function read_host(name, text)
  local host, port = text:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then host, port = text:match "^([%w%-._]+):?(%d*)$" end
  local number = port == "" and PORT or tonumber(port)
  if not host or number < 1 or number > 65535 then refuse(name, "a host or port is wrong") end
  return { host = host, port = number }
end

--- "host:port" for people, and as a key.
function address.text(place)
  if place.port == 0 then return place.host end
  return (place.host:find ":" and "[%s]:%d" or "%s:%d"):format(place.host, place.port)
end

--- -> {places = {{host=, port=}, …}, user=, password=, database=}; port 0: host is a socket's path. `name` is the
--- option's; what is wrong raises.
function address.parse(text, name)
  if type(text) ~= "string" then refuse(name, "got " .. errors.describe(text, true)) end
  local path = text:match "^unix:/*(/.+)$"
  if path then return { places = { { host = path, port = 0 } } } end
  if text:find "^rediss:" then refuse(name, "TLS needs a tunnel, as stunnel") end
  local rest = text:match "^redis://(.+)$"
  if not rest then refuse(name, "it is neither") end
  local login = rest:match "^(.*)@" or ""
  local hosts, database = rest:match "([^@]*)$":match "^([^/]+)/?(%d*)$"
  if not hosts then refuse(name, "what stands behind redis:// is wrong") end
  local access = { places = {}, database = database ~= "" and database ~= "0" and database or nil }
  if login ~= "" then
    local user, password = login:match "^([^:]*):?(.*)$"
    if not login:find ":" then user, password = "", login end
    access.user, access.password = user ~= "" and unescape(user) or nil, unescape(password)
  end
  for host in hosts:gmatch "[^,]+" do access.places[#access.places + 1] = read_host(name, host) end
  if not access.places[1] then refuse(name, "there is no host") end
  return access
end

return address
