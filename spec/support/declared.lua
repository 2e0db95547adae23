-- SPDX-License-Identifier: MIT
-- What the code has: asked of the code where it can be asked, else read in its tables.

local project = require "spec.support.project"

local declared = {}

local function captures(text, pattern)
  local list = {}
  for name in text:gmatch(pattern) do list[#list + 1] = name end
  return list
end

local function part(path, first, last)
  local text = project.read(path)
  local _, from = text:find(first, 1, true)
  local to = from and text:find(last, from, true)
  return text:sub(assert(from, path .. " has no " .. first) + 1, assert(to, path .. ": " .. last) - 1)
end

-- The rows of a table in lua/chainlink/config.lua: name, and the whole row.
local function config_rows(name)
  local rows = {}
  local text = part("lua/chainlink/config.lua", "local " .. name .. " = {\n", "\n}\n")
  for row in (text .. "\n  { "):gmatch "(.-)\n  %f[{]{ " do
    rows[#rows + 1] = { name = row:match '"([%w_]+)"', of_stream = row:find "stream = true" ~= nil,
      only_of_stream = row:find "only_stream = true" ~= nil }
  end
  return rows
end

local function names_of(rows, keep)
  local names = {}
  for _, row in ipairs(rows) do
    if not keep or keep(row) then names[#names + 1] = row.name end
  end
  return names
end

function declared.client_options()
  return names_of(config_rows "rows", function(row) return not row.only_of_stream end)
end

function declared.stream_options()
  return names_of(config_rows "rows", function(row) return row.of_stream end)
end

function declared.tls_options() return names_of(config_rows "tls_rows") end
function declared.breaker_options() return names_of(config_rows "breaker_rows") end

function declared.onchain_options()
  local own = captures(part("lua/chainlink/onchain.lua", "local own = {", "}"), "([%w_]+) =")
  local shared = captures(part("lua/chainlink/onchain.lua", "local engine_options = {", "}"), '"([%w_]+)"')
  for _, name in ipairs(shared) do own[#own + 1] = name end
  return own
end

--- The environment's variables that Lua or C reads.
function declared.variables()
  local names = {}
  local found = project.run "grep -rhoE 'CHAINLINK_STREAMS_[A-Z_]+' lua src | sort -u"
  for name in found:gmatch "[^\n]+" do names[#names + 1] = name end
  return names
end

--- The states of on_status, as C names them.
function declared.states()
  local text = part("src/context/event.h", "enum cds_link_state {", "}")
  local names = captures(text, "CDS_LINK_([%u_]+)")
  for _, name in ipairs(captures(part("src/context/event.h", "of a feed's times", "}"), "CDS_EVENT_([%u_]+)")) do
    names[#names + 1] = name
  end
  for i, name in ipairs(names) do names[i] = name:lower() end
  return names
end

--- The members of the table that a callback gets: of kind status, range, response.
function declared.event_fields(kind)
  local text = part("lua/chainlink/events.lua", "function deliver." .. kind, "\nend\n")
  return captures(text:match "%{(.-)%}", "([%w_]+) =")
end

function declared.error_kinds()
  return captures(project.read "src/base/errors.def", 'CDS_ERROR%([%w_]+, "(%w+)"')
end

--- The members that C sets in an error object besides those that all have.
function declared.error_fields()
  local names = {}
  local text = part("src/lua/lutil.c", "cds_l_push_error", "\n}\n")
  for _, name in ipairs(captures(text, 'cds_l_set_%w+%(L, "([%w_]+)"')) do
    if name ~= "kind" then names[#names + 1] = name end
  end
  return names
end

function declared.reasons()
  return captures(project.read "src/crypto/reasons.def", 'CDS_REASON%([%w_]+, "(%w+)"')
end

-- ---- the command line: its help is asked ----

local function help(words) return (project.run("chainlink-streams " .. words .. " --help")) end

function declared.commands()
  return captures(help "", "\n  (%l+) +%l")
end

--- The options of one command, without their dashes.
function declared.command_options(command)
  return captures(help(command), "\n  %-%-([%l-]+)")
end

function declared.exit_codes()
  return captures(help "":match "exit codes: (.*)$", "(%d+) %l")
end

-- ---- the simulator ----

--- Faults by name: {rest = true, ws = …, kinds = {…}}.
function declared.faults()
  local faults, names = {}, {}
  local text = part("src/simulator/fault.c", "} rules[] = {", "\n};")
  for name, where, rest in text:gmatch '{"([%w_]+)", CDS_SIM_[%u_]+, ([%u |]+), %d+, %d+,%s*(.-)},?%f[\n%z]' do
    local fault = { kinds = captures(rest:match '"(.*)"' or "", "%S+"), where = captures(where:lower(), "%l+") }
    faults[name] = fault
    names[#names + 1] = name
  end
  return faults, names
end

function declared.fault_keys()
  local keys = captures(part("src/simulator/fault.c", "numbers[] = {", "\n  };"), '{"([%w_]+)"')
  local text = part("src/simulator/fault.c", "static enum cds_status set(", "\n}\n")
  for _, key in ipairs(captures(text, 'strcmp%(key, "([%w_]+)"%)')) do keys[#keys + 1] = key end
  return keys
end

--- "POST /control/faults" and so on.
function declared.control_paths()
  local paths = {}
  for method, path in project.read "src/simulator/control.c":gmatch '{"(%u+)", "(/control/%l+)"' do
    paths[#paths + 1] = method .. " " .. path
  end
  return paths
end

-- ---- limits ----

--- The value of a constant of src/, in C's own arithmetic.
function declared.constant(name)
  local found = project.run(("grep -rhE '^#define %s\\b' src"):format(name))
  local value = found:match("^#define " .. name .. "%s+([^\n]-)%s*\n$")
  value = assert(value, "there is not one " .. name .. " in src/"):gsub("%s*/[*/].*$", ""):gsub("(%d)[uUlL]+", "%1")
  value = value:gsub("(%d+) *<< *(%d+)", function(base, bits) return ("%.0f"):format(base * 2 ^ bits) end)
  assert(value:find "^[%d%s%*%+%-%(%)%.]+$", name .. " is " .. value)
  return assert((loadstring or load)("return " .. value))() -- luacheck: ignore
end

return declared
