-- SPDX-License-Identifier: MIT
-- The options of a client and of a stream: one row each, checked here, with messages for people.

local core = require "chainlink.core"
local check = require "chainlink.check"
local errors = require "chainlink.errors"
local later = require "chainlink.later"
local environment, profiles = later "chainlink.environment", later "chainlink.profiles"
local signers = later "chainlink.signers"

local config = {}

local MAX_FUTURE = 30 -- seconds that the local clock may be behind the service's

local networks = {
  mainnet = { rest_url = "https://api.dataengine.chain.link", ws_url = "wss://ws.dataengine.chain.link",
    price_url = "https://priceapi.dataengine.chain.link" },
  testnet = {
    rest_url = "https://api.testnet-dataengine.chain.link", ws_url = "wss://ws.testnet-dataengine.chain.link",
    price_url = "https://priceapi.testnet-dataengine.chain.link" },
}

-- ---- kinds of values ----

local function number_between(low, high)
  return function(value) return type(value) == "number" and value >= low and value <= high end
end

local function whole_between(low, high)
  return function(value)
    return type(value) == "number" and value >= low and value <= high and value == math.floor(value)
  end
end

local function one_of(choices)
  local set = {}
  for _, choice in ipairs(choices) do set[choice] = true end
  return function(value) return set[value] == true end
end

local function is_text(value) return type(value) == "string" and value ~= "" and not value:find "%z" end
local function is_boolean(value) return type(value) == "boolean" end
local function is_seconds(value) return type(value) == "number" and value > 0 and value <= 86400 end
local is_delay = number_between(0, 86400)

local function is_callable(value)
  if type(value) == "function" then return true end
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__call ~= nil
end

local function is_url(schemes)
  return function(value)
    if not is_text(value) then return false end
    for _, scheme in ipairs(schemes) do
      if value:lower():find(scheme .. "://", 1, true) == 1 then return true end
    end
    return false
  end
end

local is_ws_url = is_url { "wss", "ws" }

-- The parts between commas, without the spaces around them; in time proportional to the text, whatever is in it.
local function split(text)
  local parts = {}
  for part in (text .. ","):gmatch "([^,]*)," do parts[#parts + 1] = part:match "^%s*(%S*)%s*$" or part end
  return parts
end

local function is_ws_url_list(value)
  if not is_text(value) then return false end
  for _, url in ipairs(split(value)) do
    if not is_ws_url(url) then return false end
  end
  return true
end

local function is_header_table(value)
  if type(value) ~= "table" then return false end
  for name, text in pairs(value) do
    if type(name) ~= "string" or type(text) ~= "string" or (name .. text):find "%z" then return false end
  end
  return true
end

-- ---- the options ----

local loops = '"auto", "block", "cqueues", "copas", "luv", "openresty" or a function that waits for a descriptor'
local is_loop_name = one_of { "auto", "block", "cqueues", "copas", "luv", "openresty" }
local function is_loop(value) return is_loop_name(value) or is_callable(value) end
local seconds = "a number of seconds above 0"
local delay = "a number of seconds, 0 or more"
local whole_seconds = "a whole number of seconds from 1 to 3600"

-- name, default, check, what is expected; secret: the value is never shown; stream: a stream may override it
local rows = {
  { "api_key", nil, is_text, "a text", secret = true, required = true },
  { "api_secret", nil, is_text, "a text", secret = true, required = true },
  { "profile", nil, is_text, "a profile's name" },
  { "network", "mainnet", one_of { "mainnet", "testnet" }, '"mainnet" or "testnet"' },
  { "rest_url", nil, is_url { "https", "http" }, "a URL that starts with https://" },
  { "price_url", nil, is_url { "https", "http" }, "a URL that starts with https://" },
  { "ws_url", nil, is_ws_url_list, "a URL that starts with wss://, or several with commas between them" },
  { "timeout", 30, is_seconds, seconds },
  { "connect_timeout", 5, is_seconds, seconds },
  { "max_retries", 3, whole_between(0, 100), "a whole number from 0 to 100" },
  { "retry_delay", 0.5, is_delay, delay },
  { "retry_max_delay", 10, is_delay, delay },
  { "rate_limit", 10, number_between(0.001, 1e6), "requests per second, above 0, or false", off = true },
  { "circuit_breaker", nil, function(value) return type(value) == "table" end,
    "a table {failures=, cooldown=} or false", off = true },
  { "clock", "local", one_of { "local", "auto" }, '"local" or "auto"' },
  { "ping_interval", 5, whole_between(1, 3600), whole_seconds, stream = true },
  { "pong_timeout", 5, whole_between(1, 3600), whole_seconds, stream = true },
  { "max_reconnects", math.huge, function(value)
    return value == math.huge or whole_between(0, 1e9)(value)
  end, "a whole number, 0 or more, or math.huge", stream = true },
  { "reconnect_delay", 0.2, is_delay, delay, stream = true },
  { "reconnect_max_delay", 10, is_delay, delay, stream = true },
  { "queue_size", 4096, whole_between(1, 2 ^ 20), "a whole number from 1 to 1048576", stream = true },
  { "queue_bytes", 2 ^ 26, whole_between(2 ^ 20, 2 ^ 36), "a whole number from 1048576 (1 MiB) to 68719476736 (64 GiB)",
    stream = true },
  { "overflow", "block", one_of { "block", "latest", "drop_oldest" }, '"block", "latest" or "drop_oldest"',
    stream = true },
  { "order", "feed", one_of { "feed", "arrival" }, '"feed" or "arrival"', stream = true },
  { "protocol", "auto", one_of { "auto", "v1", "v2" }, '"auto", "v1" or "v2"', stream = true },
  { "ha", false, is_boolean, "true or false", stream = true },
  { "feeds_per_connection", 100, whole_between(1, 1000), "a whole number from 1 to 1000", stream = true },
  { "backfill", true, is_boolean, "true or false", stream = true },
  { "verify", nil, function(value) return signers.is_either(value) end, "a registry of signers or {signers=, f=}",
    stream = true, off = true, read = function(value) return signers.registry(value) end },
  { "stale_timeout", nil, is_seconds, seconds .. ", or false", stream = true, off = true },
  { "start", nil, whole_between(1, 2 ^ 32 - 1), "a time in seconds since 1970", stream = true, only_stream = true },
  { "logger", nil, is_callable, "a function", stream = true },
  { "log_level", "info", one_of { "debug", "info", "warn", "error", "none" },
    '"debug", "info", "warn", "error" or "none"', stream = true },
  { "on_status", nil, is_callable, "a function", stream = true },
  { "on_response", nil, is_callable, "a function" },
  { "loop", "auto", is_loop, loops, stream = true, off = true },
  { "headers", nil, is_header_table, "a table of header names and texts", secret = true },
  { "tls", nil, function(value) return type(value) == "table" end, "a table" },
  { "proxy", nil, is_text, "a text like \"http://host:port\", or false for none", secret = true, off = true },
}

local tls_rows = {
  { "ca_file", nil, is_text, "a file's name" },
  { "ca_path", nil, is_text, "a directory's name" },
  { "cert_file", nil, is_text, "a file's name" },
  { "key_file", nil, is_text, "a file's name" },
  { "insecure_skip_verify", false, is_boolean, "true or false" },
}

local breaker_rows = {
  { "failures", 5, whole_between(1, 1e6), "a whole number, 1 or more" },
  { "cooldown", 10, is_seconds, seconds },
}

-- ---- checking ----

local function raise(...)
  errors.raise("ConfigError", (...):format(select(2, ...)))
end

-- How many letters must change to make one word the other (Levenshtein).
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

local function nearest(name, list)
  local best, best_distance = nil, 4
  for _, row in ipairs(list) do
    local d = distance(name:sub(1, 40), row[1])
    if d < best_distance then best, best_distance = row[1], d end
  end
  return best
end

local function check_name(name, prefix, list, allowed)
  if type(name) ~= "string" then
    raise("options must have names, got one at %s", errors.describe(name))
  end
  if allowed[name] then return end
  local near = nearest(name, list)
  raise("there is no option %s%s", errors.describe(prefix .. name):gsub(" %(a string%)$", ""),
    near and (", did you mean '%s'?"):format(prefix .. near) or "")
end

local function check_value(row, value, prefix)
  if value == nil or (row.off and value == false) or row[3](value) then return end
  if value == "" then raise("option '%s' is empty, expected %s", prefix .. row[1], row[4]) end
  raise("option '%s' must be %s, got %s", prefix .. row[1], row[4], errors.describe(value, row.secret))
end

-- A copy of the options with defaults. Where there is `base`, its values are the defaults.
local function read_rows(list, options, prefix, base)
  local allowed, out = {}, {}
  for _, row in ipairs(list) do allowed[row[1]] = true end
  for name in pairs(options) do
    check_name(name, prefix, list, allowed)
  end
  for _, row in ipairs(list) do
    local name = row[1]
    check_value(row, options[name], prefix)
    if row.read and options[name] then out[name] = row.read(options[name])
    elseif options[name] ~= nil then out[name] = options[name]
    elseif base then out[name] = base[name]
    else out[name] = row[2] end
  end
  return out
end

local function check_required(list, values)
  for _, row in ipairs(list) do
    if row.required and values[row[1]] == nil then raise("option '%s' is required", row[1]) end
  end
end

--- What lies ahead of now cannot be asked for.
function config.check_past(time, name)
  local ahead = time - core.time()
  if ahead > MAX_FUTURE then raise("%s lies %.0f seconds in the future", name, ahead) end
end

-- ---- what the engine takes ----

local function header_list(headers)
  local list = {}
  for name, value in pairs(headers or {}) do list[#list + 1] = { name = name, value = value } end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function host_of(url)
  return url:match "^%a+://%[(.-)%]" or url:match "^%a+://([^/:]*)"
end

local function is_loopback(host)
  return host == "localhost" or host == "::1" or host:find "^127%.%d+%.%d+%.%d+$" ~= nil
end

local function warnings_for(engine)
  local warnings = {}
  local urls = { engine.rest_url, engine.price_url }
  for _, url in ipairs(engine.ws_urls) do urls[#urls + 1] = url end
  for _, url in ipairs(urls) do
    local scheme = url:match("^%a+"):lower()
    if (scheme == "http" or scheme == "ws") and not is_loopback(host_of(url)) then
      warnings[#warnings + 1] = ("%s is used without TLS: anybody on the way can read the reports"):format(host_of(url))
    end
  end
  if engine.insecure_skip_verify then
    warnings[#warnings + 1] = "insecure_skip_verify is on: the service's certificate is not verified"
  end
  return warnings
end

local function engine_options(values, tls, breaker)
  local network = networks[values.network]
  local engine = {}
  for name, value in pairs(values) do
    if type(value) == "number" or type(value) == "string" or type(value) == "boolean" then engine[name] = value end
  end
  for name, value in pairs(tls) do engine[name] = value end
  engine.rest_url = values.rest_url or network.rest_url
  engine.price_url = values.price_url or network.price_url
  engine.ws_urls = split(values.ws_url or network.ws_url)
  engine.rate_limit = values.rate_limit or 0
  engine.breaker_failures = breaker and breaker.failures or 0
  engine.breaker_cooldown = breaker and breaker.cooldown or nil
  engine.headers = header_list(values.headers)
  engine.proxy = values.proxy == false and "" or values.proxy
  engine.want_responses = values.on_response ~= nil
  if not values.logger then engine.log_level = "none" end
  return engine
end

--- Checks a client's options: what the engine takes, the values with defaults, and warnings for the log.
function config.client(options)
  check.options(options, true)
  if options.profile ~= nil then options = profiles.fill(options) end
  for _, row in ipairs(rows) do
    if row.only_stream and options[row[1]] ~= nil then
      raise("option '%s' belongs to a stream, not to the client", row[1])
    end
  end
  local values = read_rows(rows, options, "")
  check_required(rows, values)
  local tls = read_rows(tls_rows, values.tls or {}, "tls.")
  local breaker = values.circuit_breaker ~= false and read_rows(breaker_rows, values.circuit_breaker or {},
    "circuit_breaker.")
  local engine = engine_options(values, tls, breaker)
  values.api_key, values.api_secret, values.proxy, values.headers = nil, nil, nil, nil
  values.host = host_of(engine.rest_url)
  return engine, values, warnings_for(engine)
end

--- Checks a stream's options over those of its client.
function config.stream(options, client_values)
  check.options(options)
  options = options or {}
  local list = {}
  for _, row in ipairs(rows) do
    if row.stream then list[#list + 1] = row
    elseif options[row[1]] ~= nil then raise("option '%s' belongs to the client, not to a stream", row[1]) end
  end
  local values = read_rows(list, options, "", client_values)
  if not values.logger then values.log_level = "none" end
  if values.start then config.check_past(values.start, "option 'start'") end
  return values
end

--- The kinds of values that other modules' options have too.
config.whole_between, config.is_boolean, config.number_between = whole_between, is_boolean, number_between

--- Checks the options of something else: rows of its own, and those of a stream with these names. `base`, the values
--- of a client, takes the place of all defaults.
function config.read(own, shared, options, base)
  check.options(options)
  options = options or {}
  local list, wanted = {}, {}
  for _, name in ipairs(shared) do wanted[name] = true end
  for _, row in ipairs(own) do list[#list + 1] = row end
  for _, row in ipairs(rows) do
    if wanted[row[1]] then list[#list + 1] = row end
  end
  local values = read_rows(list, options, "", base)
  check_required(list, values)
  return values
end

--- The options that the environment gives, under those given.
function config.from_environment(given) return environment.options(given) end

return config
