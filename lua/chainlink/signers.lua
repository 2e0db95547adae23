-- SPDX-License-Identifier: MIT
-- Who may sign reports: a table of configurations by digest becomes a registry, which verification and streams use.

local cjson = require "cjson.safe"
local core = require "chainlink.core"
local errors = require "chainlink.errors"

local signers = {}

local Registry = core.signers_metatable
local methods = {}
local known = { signers = true, f = true, active = true }

local function fail(...)
  return nil, errors.new("ConfigError", (...):format(select(2, ...)))
end

local function is_whole(value)
  return type(value) == "number" and value == math.floor(value) and value - value == 0
end

local function read_digest(value)
  if type(value) == "string" and #value == 66 and value:find "^0[xX]%x+$" then return value:lower() end
  return fail("a config digest must be a text of 0x and 64 hex digits, got %s", errors.describe(value))
end

local function read_address(value, place)
  if type(value) == "string" and #value == 42 and value:find "^0[xX]%x+$" then return value:lower() end
  return fail("signers[%d] must be a text of 0x and 40 hex digits, got %s", place, errors.describe(value))
end

-- {signers=, f=, active=} -> addresses, f, active | nil, err. The rules of numbers are checked in C.
local function read_set(value)
  if type(value) ~= "table" then return fail("expected {signers=, f=}, got %s", errors.describe(value)) end
  for name in pairs(value) do
    if not known[name] then return fail("unknown member %s, known are signers, f and active", errors.describe(name)) end
  end
  if type(value.signers) ~= "table" then
    return fail("signers must be an array of addresses, got %s", errors.describe(value.signers))
  end
  if not is_whole(value.f) then return fail("f must be a whole number, got %s", errors.describe(value.f)) end
  if value.active ~= nil and type(value.active) ~= "boolean" then
    return fail("active must be true or false, got %s", errors.describe(value.active))
  end
  local addresses = {}
  for i = 1, #value.signers do
    local address, err = read_address(value.signers[i], i)
    if not address then return nil, err end
    addresses[i] = address
  end
  for key in pairs(value.signers) do
    if not (is_whole(key) and key >= 1 and key <= #addresses) then
      return fail("signers must be an array of addresses, but has the key %s", errors.describe(key))
    end
  end
  return addresses, math.max(math.min(value.f, 1e6), -1e6), value.active ~= false
end

local function put(registry, digest, set)
  local id, err = read_digest(digest)
  if not id then return nil, err end
  local addresses, f, active = read_set(set)
  local ok
  if not addresses then err = f
  else ok, err = core.signers_put(registry, id, addresses, f, active) end
  if ok then return registry end
  err.message = ("configuration %s: %s"):format(id, err.message)
  return nil, err
end

local function fill(registry, configurations)
  if type(configurations) ~= "table" then
    return fail("expected a table of {signers=, f=} by config digest, got %s", errors.describe(configurations))
  end
  for digest, set in pairs(configurations) do
    local ok, err = put(registry, digest, set)
    if not ok then return nil, err end
  end
  return registry
end

-- What the simulator's /control/oracles gives, one configuration with its digest inside, as a table by digest.
local function by_digest(configurations)
  local digest = type(configurations) == "table" and configurations.config_digest
  if not digest then return configurations end
  configurations.config_digest = nil
  return { [digest] = configurations }
end

local function or_throw(value, err)
  if value == nil then errors.throw(err) end
  return value
end

--- Adds a configuration, or replaces the one of that digest. -> the registry
function methods.add(registry, config_digest, set)
  return or_throw(put(registry, config_digest, set))
end

--- Forgets a configuration. -> whether there was one
function methods.remove(registry, config_digest)
  return or_throw(core.signers_remove(registry, or_throw(read_digest(config_digest))))
end

--- {signers=, f=, active=} of a configuration, or nil. A copy: changing it changes nothing.
function methods.get(registry, config_digest)
  return core.signers_get(registry, or_throw(read_digest(config_digest)))
end

--- for digest, set in registry:each() do, ascending by digest
function methods.each(registry)
  local digests = core.signers_digests(registry)
  local i = 0
  return function()
    local set
    repeat
      i = i + 1
      set = digests[i] and core.signers_get(registry, digests[i])
    until set or not digests[i]
    if set then return digests[i], set end
  end
end

Registry.__index = methods
Registry.__pairs = methods.each

function Registry.__len(registry)
  return #core.signers_digests(registry)
end

function Registry.__tostring(registry)
  return ("chainlink.signers: %d configurations"):format(#core.signers_digests(registry))
end

--- A registry of configurations by digest; wrong ones raise.
function signers.new(configurations)
  return or_throw(fill(core.signers_new(), configurations or {}))
end

--- The same from a JSON file, {"0x<digest>": {"signers": ["0x…", …], "f": 1}, …}, or one such configuration with its
--- digest as a member, {"config_digest": "0x…", "signers": …, "f": 1}. -> registry | nil, ConfigError
function signers.from_file(path)
  if type(path) ~= "string" then
    errors.raise("ConfigError", "path must be a text, got " .. errors.describe(path))
  end
  local file, reason = io.open(path, "rb")
  if not file then return fail("cannot read the signers: %s", reason) end
  local text = file:read "*a"
  file:close()
  if not text then return fail("cannot read the signers: %s: not a file", path) end
  local configurations, why = cjson.decode(text)
  if why then return fail("%s is not JSON: %s", path, why) end
  local registry, err = fill(core.signers_new(), by_digest(configurations))
  if not registry then err.message = path .. ": " .. err.message end
  return registry, err
end

function signers.is_registry(value)
  return type(value) == "userdata" and debug.getmetatable(value) == Registry
end

function signers.is_either(value)
  return signers.is_registry(value) or type(value) == "table"
end

--- The option `verify` as a registry: one {signers=, f=} is for every digest. Wrong ones raise.
function signers.registry(by)
  if signers.is_registry(by) then return by end
  local registry, err
  local addresses, f, active = read_set(by)
  if addresses then registry, err = core.signers_new(addresses, f, active) else err = f end
  if registry then return registry end
  err.message = "option 'verify': " .. err.message
  errors.throw(err)
end

--- Verifies a report by a registry or one {signers=, f=}. -> true | nil, VerificationError
function signers.verify(report, by)
  if signers.is_registry(by) then return core.verify(report, by) end
  local addresses, f, active = read_set(by)
  if not addresses then
    f.message = "verify: " .. f.message
    errors.throw(f)
  end
  local ok, err = core.verify_by(report, addresses, f, active)
  if not ok and err.kind == "ConfigError" then
    err.message = "verify: " .. err.message
    errors.throw(err)
  end
  return ok, err
end

return setmetatable(signers, { __call = function(_, configurations) return signers.new(configurations) end })
