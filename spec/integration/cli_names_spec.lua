-- SPDX-License-Identifier: MIT
-- Names on the command line: the list of feeds knows them, or the service's catalogue does.

local cjson = require "cjson"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

describe("a name on the command line", function()
  local sim

  setup(function() sim = simulator.start { feeds = 56, rate_limit = 0 } end)
  teardown(function() sim:stop() end)
  after_each(function() sim:clear_faults() end)

  -- Both outputs together, and the exit code.
  local function command(arguments)
    local words = { "env" }
    for name, value in pairs(sim.env) do words[#words + 1] = ("%s='%s'"):format(name, value) end
    return project.run(("%s timeout 60 chainlink-streams %s 2>&1"):format(table.concat(words, " "), arguments))
  end

  local function name_of(argument)
    local output, code = command(("latest '%s' --format json"):format(argument))
    assert.equal(0, code, output)
    return cjson.decode(output).name
  end

  local function refused(code, words, arguments)
    local output, got = command(arguments)
    assert.equal(code, got, output)
    assert.truthy(output:find(words, 1, true), output)
    return output
  end

  -- The list of feeds is kept from the key from now on.
  local function without_list()
    sim:fault "on=rest,path=/api/v1/feeds,action=status,status=403,times=0"
  end

  it("that the list has asks for no catalogue", function()
    local before = sim:answered "/api/v1/discovery"
    assert.equal("ETH/USD", name_of "eth/usd")
    assert.equal(before, sim:answered "/api/v1/discovery")
  end)

  it("is one of the catalogue's, exactly but for capitals", function()
    without_list()
    assert.equal("BTC/USD", name_of "btc/usd")
    assert.equal("FUND-B-NAV", name_of "Fund-B-Nav") -- hidden
  end)

  it("is a base and a quote asset that one live feed has", function()
    assert.equal("TBILL-NAV", name_of "tbill/usd")
    assert.equal("STETH-BASKET", name_of "STETH/USD")
  end)

  it("asks once for several", function()
    local before = sim:answered "/api/v1/discovery"
    local output, code = command "latest TBILL/USD STETH/USD ETH/USD --format csv"
    assert.equal(0, code, output)
    assert.equal(before + 1, sim:answered "/api/v1/discovery")
    for _, name in ipairs { "TBILL-NAV", "STETH-BASKET", "ETH/USD" } do
      assert.truthy(output:find("," .. name .. ",", 1, true), output)
    end
  end)

  it("is refused with all that it could mean", function()
    local output = refused(2, "fits 'fund/usd': give an id", "latest fund/usd")
    for _, letter in ipairs { "A", "B", "C", "D" } do
      assert.matches("\n  0x000c%x+  v12  FUND%-" .. letter .. "%-NAV  live", output)
    end
    assert.equal(4, select(2, output:gsub("\n  0x", "")))
  end)

  it("is refused where no feed has it", function()
    refused(2, "no feed is named 'NOPE/USD'", "latest NOPE/USD")
    refused(2, "no feed is named 'ETH/EUR'", "stream ETH/EUR")
    refused(2, "no feed is named 'eth/uds': did you mean ETH/USD? `chainlink-streams feeds` lists", "latest eth/uds")
    refused(2, "no feed is named 'tbil-nav': did you mean TBILL-NAV? ", "latest tbil-nav") -- by the catalogue
    without_list()
    assert.equal("BTC/USD", name_of "BTC/USD")
  end)

  it("is looked up by a service without a catalogue in the list alone", function()
    sim:fault "on=rest,path=/api/v1/discovery,action=status,status=404,times=0"
    assert.equal("ETH/USD", name_of "ETH/USD")
    refused(2, "no feed is named 'TBILL/USD'", "latest TBILL/USD")
    without_list()
    refused(3, "/api/v1/feeds answered 403", "latest ETH/USD")
  end)

  it("is not taken for unknown while the catalogue fails", function()
    sim:fault "on=rest,path=/api/v1/discovery,action=status,status=503,times=0"
    refused(1, "/api/v1/discovery answered 503", "latest TBILL/USD")
  end)

  describe("is found by feeds", function()
    -- The names that feeds lists.
    local function found(arguments)
      local output, code = command("feeds --format csv " .. arguments)
      assert.equal(0, code, output)
      local names = {}
      for name in output:gmatch "\n0x%x+,%d+,([^,]*)," do names[#names + 1] = name end
      table.sort(names)
      return table.concat(names, " ")
    end

    it("of some assets, classes and by a text", function()
      assert.equal("EUR/USD XAU/USD", found "--asset xau,EUR")
      assert.equal("CREDIT-NAV FUND-A-NAV FUND-B-NAV FUND-C-NAV FUND-D-NAV GOLD-NAV MMF-NAV TBILL-NAV",
        found "--class funds")
      assert.equal("BTC-PERP ETH-PERP LINK-PERP SOL-PERP", found "--search perp")
      assert.equal("BTC-PERP", found "--asset BTC --class Crypto --search PERP")
      assert.equal("", found "--asset BTC --class Forex")
    end)

    it("with more columns", function()
      local output = command "feeds --asset BTC --search perp"
      assert.matches("^id +v +schema +name +class +type +status\n0x000d%x+ +13 .-BTC%-PERP +Crypto +Best Bid and Ask"
        .. " +testing\n$", output)
      local feed = cjson.decode((command "feeds --asset XAU --format json"))
      assert.equal("XAU", feed.base_asset)
      assert.equal(4, feed.schema_version)
      assert.matches(": no feed fits\n", (command "feeds --search nothing"))
    end)

    it("and a list without anything is wrong usage", function()
      refused(2, "',' is no list", "feeds --asset ,")
    end)
  end)
end)
