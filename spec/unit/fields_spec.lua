-- SPDX-License-Identifier: MIT
-- A field has the same value however often and by whichever way it is read: looked up or remembered, by C or, on
-- LuaJIT, by the FFI.

local process = require "spec.support.process"

local jit = rawget(_G, "jit")

-- Reads every name of every report by C alone, then by the name, again and again; the names' reports in turn, so that
-- what is remembered of one is of no use for the next. Prints how many values were compared.
local SCRIPT = [[
local core = require "chainlink.core"
local by_c = core.report_metatable.__index -- before the rest of the module adds to it
local chainlink = require "chainlink"
local sample = require "spec.support.sample"
local vectors = require "spec.support.vectors"

local reports, names = {}, { "nothing", "exact", "to_json", ("x"):rep(60) }
local function add(full_report)
  local report = chainlink.decode(full_report)
  if report then reports[#reports + 1] = report end
end
for _, vector in ipairs(vectors.made()) do add(vector.fullReport) end
for _, vector in ipairs(vectors.real() or {}) do add(vector.fullReport) end
local kinds = {}
for kind, text in pairs(sample) do
  if type(text) == "string" and text:find "^0x" then kinds[#kinds + 1] = kind end
end
table.sort(kinds)
for _, kind in ipairs(kinds) do add(sample[kind]) end

-- Words of all lengths in place of those of the blob, where the report stays a valid one.
math.randomseed(20)
local function random_word()
  local fill, bytes = math.random() < 0.5 and "00" or "ff", {}
  local used = math.random(0, 24)
  for i = 1, 32 do bytes[i] = i <= 32 - used and fill or ("%02x"):format(math.random(0, 255)) end
  return table.concat(bytes)
end
local function vary(full_report, blob_words)
  local start = 2 + 64 * 8 + 64 * math.random(1, blob_words - 1)
  add(full_report:sub(1, start) .. random_word() .. full_report:sub(start + 65))
end
for i = 1, #reports do
  local full_report = reports[i].full_report
  for _ = 1, 20 do vary(full_report, math.max(2, #reports[i])) end
end

-- A schema with a name that is too long to be kept once by every Lua, and one that another schema has elsewhere.
local long = ("long_name_"):rep(5) .. "price"
chainlink.schemas:register { version = 4000, price = "bid", fields = { { name = "feed_id", type = "bytes32" },
  { name = "bid", type = "int192" }, { name = long, type = "int192" } } }
add(sample.report { sample.feed_id(4000):sub(3), random_word(), random_word() })
add(sample.report { sample.feed_id(4000):sub(3), ("0"):rep(64), ("0"):rep(63) .. "7" })
assert(reports[#reports][long] == 7e-18, reports[#reports][long])
for i = 1, 200 do -- where one name was in memory there soon is another
  local name = ("long_name_"):rep(5) .. (i % 2 == 0 and "price" or "prize")
  assert(reports[#reports][name] == (i % 2 == 0 and 7e-18 or nil), name)
  name = nil
  collectgarbage()
end

local seen = {}
for _, report in ipairs(reports) do
  local schema = report.resolution and chainlink.schemas[report.version] or { fields = {} }
  for _, field in ipairs(schema.fields) do
    if not seen[field.name] then names[#names + 1] = field.name end
    seen[field.name] = true
  end
end
for _, name in ipairs { "price", "version", "resolution", "observations_timestamp_ms", "valid_from_timestamp_ms",
  "expires_at_ms", "decimals", "full_report", "report_blob", "config_digest", "received_at", "backfilled", "origin" } do
  names[#names + 1] = name
end

local function same(a, b)
  local kind = math.type or type
  return a == b and type(a) == type(b) and kind(a) == kind(b) and (a ~= 0 or 1 / a == 1 / b)
end
local compared, numbers = 0, 0
for _, name in ipairs(names) do
  local expected = {}
  for i, report in ipairs(reports) do expected[i] = by_c(report, name) end
  for round = 1, 3 do
    for i, report in ipairs(reports) do
      local value = report[name]
      if not same(value, expected[i]) then
        error(("v%d %s: %s, not %s"):format(report.version, name, tostring(value), tostring(expected[i])))
      end
      compared, numbers = compared + 1, numbers + (type(value) == "number" and 1 or 0)
    end
  end
end
print(by_c == core.report_metatable.__index and "C" or "FFI", compared, numbers)
]]

local function compare(before)
  local output, code = process.lua(before .. SCRIPT)
  assert.are.equal(0, code, output)
  local way, compared, numbers = output:match "^(%u+)%s+(%d+)%s+(%d+)"
  assert.is_true(tonumber(compared) > 10000 and tonumber(numbers) > 5000, output)
  return way, compared, numbers
end

describe("fields", function()
  it("have one value each by all ways", function()
    local way = compare ""
    assert.are.equal(jit and jit.status() and "FFI" or "C", way)
  end)

  it("are the same where the host hides the FFI", function()
    local _, compared, numbers = compare ""
    assert.are.same({ "C", compared, numbers },
      { compare [[package.loaded.ffi = nil; package.preload.ffi = function() error "hidden" end;]] })
  end)

  if jit then
    it("are the same where nothing is compiled", function()
      local _, compared, numbers = compare ""
      assert.are.same({ "C", compared, numbers }, { compare "jit.off();" })
    end)
  end

  it("of a report alone are read by the FFI", function()
    local output, code = process.lua [[
      require "chainlink"
      local index = require "chainlink.core".report_metatable.__index
      for _, stranger in ipairs { io.stdout, {}, "text", 5, true } do
        for _ = 1, 200 do assert(not pcall(index, stranger, "price")) end
      end
      print "all refused"
    ]]
    assert.are.equal("all refused\n", output)
    assert.are.equal(0, code)
  end)
end)
