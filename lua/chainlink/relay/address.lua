-- SPDX-License-Identifier: MIT
-- Where Redis is: redis://[user[:password]@]host[:port][,host[:port]…][/database], the same with rediss:// for TLS, or
-- unix:PATH.

local config = require "chainlink.config"
local errors = require "chainlink.errors"

local address = {}

local PORT = 6379

-- What the URL says may hold a password, and is not repeated.
local function refuse(name, what)
  errors.raise("ConfigError", name .. " must be redis://[user:password@]host:port[,host:port...][/database], "
    .. "rediss://... for TLS, or unix:PATH: " .. what, { expected = "a URL of Redis" })
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

--- -> {places = {{host=, port=}, …}, user=, password=, database=, wants_tls=}; port 0: host is a socket's path. `name`
--- is the option's; what is wrong raises.
function address.parse(text, name)
  if type(text) ~= "string" then refuse(name, "got " .. errors.describe(text, true)) end
  local path = text:match "^unix:/*(/.+)$"
  if path then return { places = { { host = path, port = 0 } } } end
  local scheme, rest = text:match "^(rediss?)://(.+)$"
  if not rest then refuse(name, "it is none") end
  local login = rest:match "^(.*)@" or ""
  local hosts, database = rest:match "([^@]*)$":match "^([^/]+)/?(%d*)$"
  if not hosts then refuse(name, ("what stands behind %s:// is wrong"):format(scheme)) end
  local access = { places = {}, database = database ~= "" and database ~= "0" and database or nil,
    wants_tls = scheme == "rediss" or nil }
  if login ~= "" then
    local user, password = login:match "^([^:]*):?(.*)$"
    if not login:find ":" then user, password = "", login end
    access.user, access.password = user ~= "" and unescape(user) or nil, unescape(password)
  end
  for host in hosts:gmatch "[^,]+" do access.places[#access.places + 1] = read_host(name, host) end
  if not access.places[1] then refuse(name, "there is no host") end
  return access
end

local function is_name(value) return type(value) == "string" and value ~= "" and not value:find "%z" end

local tls_rows = {
  { "ca_file", nil, is_name, "a file's name" }, { "ca_path", nil, is_name, "a directory's name" },
  { "cert_file", nil, is_name, "a file's name" }, { "key_file", nil, is_name, "a file's name" },
}

--- Sets access.security by these files where TLS is wanted. open: chainlink.redis' security. -> true | nil, err; what
--- is wrong raises.
function address.secure(access, tls, open)
  if not access.wants_tls then
    if tls then errors.raise("ConfigError", "settings of TLS are for a URL that begins with rediss://") end
    return true
  end
  local security, why = open(config.read(tls_rows, {}, tls))
  if not security then return nil, errors.new("ConfigError", why) end
  access.security = security
  return true
end

return address
