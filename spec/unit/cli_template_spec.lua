-- SPDX-License-Identifier: MIT
-- Templates of what is written of a report.

local chainlink = require "chainlink"
local options = require "chainlink.cli.options"
local sample = require "spec.support.sample"
local template = require "chainlink.cli.template"

local v3, v8, v99 = chainlink.decode(sample.v3), chainlink.decode(sample.v8), chainlink.decode(sample.v99)

describe("a template", function()
  local function is(expected, source, report, name)
    assert.are.equal(expected, template.compile(source)(report, name))
  end

  it("has a letter for each thing, and values are exact", function()
    is("2023-11-14T22:13:21Z", "%t", v3)
    is("ETH/USD", "%n", v3, "ETH/USD")
    is(v3.feed_id, "%i", v3)
    is("3.5 -3.25 " .. v3:exact "ask", "%p %b %a", v3)
    is("v3", "%s", v3)
    is(v3.full_report, "%r", v3)
  end)

  it("has the time of a millisecond feed to the millisecond", function()
    is("2023-11-14T22:13:20.124Z", "%t", chainlink.decode(sample.ms_v3))
  end)

  it("has the bid and the ask by the first of their names that the schema has", function()
    local fields = { { name = "feed_id", type = "bytes32" } }
    for _, name in ipairs { "ask_price", "best_ask", "ask", "bid_price", "best_bid", "bid" } do
      fields[#fields + 1] = { name = name, type = "uint8", decimals = 0 }
    end
    for count, expected in pairs { [6] = "6 3", [5] = "5 3", [4] = "4 3", [2] = " 2", [1] = " 1" } do
      local words, schema = {}, { version = 2700 + count, fields = {} }
      for i = 1, count + 1 do schema.fields[i] = fields[i] end
      for i = 1, count do words[i] = ("%064x"):format(i) end
      chainlink.schemas:register(schema)
      local id = sample.feed_id(schema.version):sub(3)
      is(expected, "%b %a", chainlink.decode(sample.report { id, (table.unpack or unpack)(words) })) -- luacheck: ignore
    end
  end)

  it("is empty where a report has no such thing", function()
    is("[][][1]", "[%n][%b][%p]", v8)
    is("[][][][][v99]", "[%n][%t][%b][%p][%s]", v99)
  end)

  it("has newlines, tabs, percents and backslashes where they are written, and no others", function()
    is("a\tb\nc%d\\n", "a\\tb\\nc%%d\\\\n", v3)
    is("", "", v3)
    is("%p", "%%p", v3)
  end)

  it("lets no name steer the terminal", function()
    is("a?[31mb?", "%n", v3, "a\27[31mb\n")
  end)

  for _, case in ipairs { { "%x", "%x" }, { "a%", "%" }, { "%P", "%P" }, { "\\x", "\\x" }, { "b\\", "\\" } } do
    it("is refused where it means nothing, with what it may have: " .. case[1], function()
      local ok, err = pcall(template.compile, case[1])
      assert.is_false(ok)
      assert.is_true(options.is_usage_error(err))
      assert.are.equal(("the template has '%s', which means nothing: it may have %%t time, %%n name, %%i feed id, "
        .. "%%p price, %%b bid, %%a ask, %%s schema, %%r full report, %%%%; \\n, \\t, \\\\"):format(case[2]),
        tostring(err))
    end)
  end

  it("is an option with a letter", function()
    local rows = { template.option, { name = "quiet" } }
    assert.are.same({ template = "%p\\n", quiet = true }, (options.parse(rows, { "-f", "%p\\n", "--quiet" })))
    assert.are.same({ template = "%p" }, (options.parse(rows, { "--template=%p" })))
    local ok, err = pcall(options.parse, rows, { "-f" })
    assert.is_false(ok)
    assert.are.equal("--template needs a value: TEMPLATE", tostring(err))
    assert.is_false((pcall(options.parse, rows, { "-q" })))
  end)
end)
