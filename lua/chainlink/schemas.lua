-- SPDX-License-Identifier: MIT
-- chainlink.schemas: the report schemas by version, read-only, and the adding of further ones.

local cjson = require "cjson.safe"
local core = require "chainlink.core"
local errors = require "chainlink.errors"

local methods = {}
local added = {}

-- Names that every report has whatever its schema: a field of that name would hide them.
local properties = { version = true, decimals = true, full_report = true, report_blob = true, report_context = true,
  signatures = true, config_digest = true, received_at = true, backfilled = true, origin = true, resolution = true,
  observations_timestamp_ms = true, valid_from_timestamp_ms = true, expires_at_ms = true }

local function refuse_change() error("chainlink.schemas is read-only", 2) end

local sealed = { __newindex = refuse_change, __metatable = false }

local function seal(value)
  for _, member in pairs(value) do
    if type(member) == "table" then seal(member) end
  end
  return setmetatable(value, sealed)
end

-- One that was added by another part of the program is found when it is asked for.
local function find(list, key)
  if methods[key] then return methods[key] end
  local schema = type(key) == "number" and core.schema(key) or nil
  if schema then rawset(list, schema.version, seal(schema)) end
  return schema
end

local list = setmetatable({}, { __index = find, __newindex = refuse_change, __metatable = false })
for _, version in ipairs(core.schema_versions()) do rawset(list, version, seal(core.schema(version))) end

---- checks of the members' types; everything else is checked in C

local function refuse(...)
  errors.raise("ConfigError", "schema: " .. (...):format(select(2, ...)))
end

local function is_whole(value, least, most)
  return type(value) == "number" and value == math.floor(value) and value >= least and value <= most
end

local function check_members(value, what, known)
  if type(value) ~= "table" then refuse("%s must be a table, got %s", what, errors.describe(value)) end
  for name, member in pairs(value) do
    if not known[name] then refuse("%s has the unknown member %s", what, errors.describe(name)) end
    if known[name] == "string" and (type(member) ~= "string" or member:find "%c") then
      refuse("%s: %s must be a text of one line, got %s", what, name, errors.describe(member))
    end
  end
end

local field_members = { name = "string", type = "string", abi_name = "string", unit = "string", meaning = "string",
  decimals = "number" }
local schema_members = { version = "number", name = "string", price = "string", fields = "table" }

-- What the built-in schemas do: 192 bits are fixed point, signed ones are prices.
local function default_decimals(field)
  return (field.type == "int192" or field.type == "uint192") and 18 or 0
end

local function check_field(field, place)
  local what = ("fields[%d]"):format(place)
  check_members(field, what, field_members)
  if not field.name or not field.type then refuse("%s needs a name and a type", what) end
  if properties[field.name] or core.report_methods[field.name] then
    refuse("%s: '%s' is the name of something that every report has", what, field.name)
  end
  local decimals = field.decimals
  if decimals ~= nil and not is_whole(decimals, 0, 77) then
    refuse("%s: decimals must be a whole number from 0 to 77, got %s", what, errors.describe(decimals))
  end
  return { name = field.name, type = field.type, abi_name = field.abi_name, meaning = field.meaning,
    decimals = decimals or default_decimals(field), unit = field.unit or (field.type == "int192" and "price") or nil }
end

local function main_price(fields)
  local found
  for _, field in ipairs(fields) do
    if field.name == "price" then return "price" end
    if field.name == "benchmark_price" then found = field.name end
  end
  return found
end

local function check_schema(definition)
  check_members(definition, "the definition", schema_members)
  if not is_whole(definition.version, 1, 4095) then
    refuse("version must be a whole number from 1 to 4095, got %s", errors.describe(definition.version))
  end
  if type(definition.fields) ~= "table" then
    refuse("fields must be an array, got %s", errors.describe(definition.fields))
  end
  local fields = {}
  for i = 1, #definition.fields do fields[i] = check_field(definition.fields[i], i) end
  local price = definition.price or main_price(fields)
  for _, field in ipairs(fields) do
    if field.name == "price" and price ~= "price" then refuse "the field 'price' must be the main price" end
  end
  return { version = definition.version, name = definition.name or "v" .. math.floor(definition.version), price = price,
    fields = fields }
end

local function add(schema)
  local version = schema.version
  if added[version] then refuse("there is a schema of version %d already", version) end
  local ok, err = core.schema_register(schema)
  if not ok then
    err.message = "schema: " .. err.message
    errors.throw(err)
  end
  added[version] = true
  return list[version]
end

local function check_self(self, name)
  if self ~= list then
    errors.raise("ConfigError", ("schema: write chainlink.schemas:%s(…) with a colon"):format(name))
  end
end

--- Adds a schema for the rest of the process: {version=, name=, price=, fields={{name=, type=, decimals=, unit=,
--- meaning=, abi_name=}, …}}. Reports decoded from then on have its fields. -> its description
function methods.register(self, definition)
  check_self(self, "register")
  return add(check_schema(definition))
end

-- ---- files

local MAX_FILE = 1048576

local function fail(...) return nil, errors.new("ConfigError", (...):format(select(2, ...))) end

local function read_file(path)
  local file, reason = io.open(path, "rb")
  if not file then return fail("cannot read the schemas: %s", reason) end
  local text = file:read(MAX_FILE + 1)
  file:close()
  if not text then return fail("cannot read the schemas: %s: it is empty, or not a file", path) end
  if #text > MAX_FILE then return fail("%s: a file of schemas has at most 1 MiB", path) end
  local value, why = cjson.decode(text)
  if why then return fail("%s is not JSON: %s", path, why) end
  if type(value) ~= "table" then return fail("%s: an array of schemas is expected", path) end
  return value.version ~= nil and { value } or value
end

-- null is as good as absent.
local function without_nulls(value)
  for name, member in pairs(value) do
    if member == cjson.null then value[name] = nil
    elseif type(member) == "table" then without_nulls(member) end
  end
end

--- Adds the schemas of a JSON file: an array of what register takes, or one of it. What is wrong with one that is not
--- the first leaves those before it added. -> array of their descriptions | nil, err: a ConfigError that names the file
function methods.load(self, path)
  check_self(self, "load")
  if type(path) ~= "string" then
    errors.raise("ConfigError", "path must be a text, got " .. errors.describe(path))
  end
  local definitions, err = read_file(path)
  if not definitions then return nil, err end
  without_nulls(definitions)
  local loaded = {}
  for i = 1, #definitions do
    local ok, schema = pcall(methods.register, self, definitions[i])
    if not ok then return fail("%s: schema %d: %s", path, i, tostring(schema.message):gsub("^schema: ", "")) end
    loaded[i] = schema
  end
  if #loaded == 0 then return fail("%s: there is no schema in it", path) end
  return loaded
end

return list
