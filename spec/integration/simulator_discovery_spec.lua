-- SPDX-License-Identifier: MIT
-- The simulator's catalogue, asked as anybody may ask it: without credentials.

local cjson = require "cjson"
local project = require "spec.support.project"
local simulator = require "spec.support.simulator"

local PATH = "/api/v1/discovery"

describe("the simulator's discovery", function()
  local sim

  setup(function() sim = simulator.start { feeds = 56 } end)
  teardown(function() sim:stop() end)

  local function ask(query, status)
    local body, got = sim:control("GET", PATH .. query)
    assert.equal(status or 200, got, body)
    return cjson.decode(body)
  end

  -- The names of what is listed, in alphabetical order.
  local function names(query)
    local list = {}
    for i, feed in ipairs(ask(query).feeds) do list[i] = feed.name end
    table.sort(list)
    return table.concat(list, " ")
  end

  it("lists what is not hidden, with every member", function()
    local feeds, seen = ask("").feeds, {}
    for _, feed in ipairs(feeds) do seen[feed.name] = feed end
    assert.equal(56 - 4 + 1, #feeds) -- the default set without v12, and one that is gone
    local feed = seen["ETH/USD"]
    assert.matches("^0x0003%x+$", feed.feedId)
    feed.feedId = nil
    assert.same({ name = "ETH/USD", assetName = "ETH", baseAsset = "ETH", quoteAsset = "USD", assetClass = "Crypto",
      feedType = "Crypto Advanced", attributeType = "CexPrice", marketHours = "24/7", schemaVersion = "V3",
      serviceLevel = "standard", networkType = "mainnet", status = "live", createdAt = "2024-03-31T00:00:00.003003Z",
      expectedDecommissionAt = cjson.null, decommissionedAt = cjson.null }, feed)
    assert.equal("2025-04-01T16:00:00.250000Z", seen["LUNA/USD"].decommissionedAt)
    assert.matches("^20%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.000000Z$", seen["ETH/USD-LEGACY"].expectedDecommissionAt)
  end)

  local filters = {
    ["?base_asset=xau"] = "XAU/USD",
    ["?base_asset=XAU,jpy,gbp"] = "GBP/USD XAU/USD",
    ["?base_asset=XAU%2CEUR"] = "EUR/USD XAU/USD",
    ["?quote_asset=JPY"] = "USD/JPY",
    ["?base_asset=BTC&asset_class=crypto&status=live"] = "BTC-CURVE BTC-FUNDING BTC/USD BTC/USD-LEGACY",
    ["?base_asset=BTC&asset_class=crypto&status=testing"] = "BTC-PERP",
    ["?feed_type=rate&base_asset=sofr"] = "SOFR-SPREAD",
    ["?attribute_type=NAVPERSHARE"] = "CREDIT-NAV GOLD-NAV MMF-NAV TBILL-NAV",
    ["?network_type=testnet"] = "BTC-CURVE GAS-TIERS LST-BASKET STETH-BASKET",
    ["?status=testing&base_asset=SOL,LINK"] = "LINK-PERP SOL-PERP",
    ["?asset_class=nonsense"] = "",
    ["?base_asset="] = "",
    ["?base_asset=XAU&no_such_filter=1"] = "XAU/USD",
    ["?base_asset=FUND"] = "",
    ["?base_asset=FUND&hidden=true"] = "", -- without credentials
    ["?created_before=2024-03-02"] = "BTC/USD-LEGACY ETH/USD-LEGACY LINK/USD-LEGACY MATIC/USD-LEGACY "
      .. "AVAX/USD BTC-FUNDING DOGE/USD UNI/USD",
    ["?created_after=2024-03-31&created_before=2024-04-01"] = "BTC/USD ETH/USD LINK/USD LUNA/USD SOL/USD",
    ["?created_after=2024-03-31&created_before=2024-03-31"] = "",
    ["?expected_decommission_before=2025-04-01"] = "LUNA/USD",
    ["?expected_decommission_after=2025-04-01"] = "BTC/USD-LEGACY ETH/USD-LEGACY LINK/USD-LEGACY MATIC/USD-LEGACY",
    ["?decommissioned_after=2025-04-01"] = "LUNA/USD",
    ["?decommissioned_after=2025-04-02"] = "",
    ["?decommissioned_before=2025-04-02"] = "LUNA/USD",
    ["?decommissioned_before=2025-04-01"] = "",
  }
  for query, expected in pairs(filters) do
    it("filters by " .. query, function()
      local list = {}
      for name in expected:gmatch "%S+" do list[#list + 1] = name end
      table.sort(list)
      assert.equal(table.concat(list, " "), names(query))
    end)
  end

  it("refuses dates that are none, of each bound", function()
    for _, name in ipairs { "created", "expected_decommission", "decommissioned" } do
      for _, bound in ipairs { "_after", "_before" } do
        for _, date in ipairs { "", "2024", "2024-2-1", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10",
          "2024-01-00", "2024-01-01T00:00:00Z", "01-01-2024", "2024/01/01", "2o24-01-01" } do
          local answer = ask("?" .. name .. bound .. "=" .. date, 400)
          assert.equal("dates must be YYYY-MM-DD", answer.error)
        end
      end
    end
    ask "?created_after=2024-02-29"
    ask "?created_after=2000-02-29"
    ask("?created_after=1900-02-29", 400)
  end)

  it("says how long its answer may be kept", function()
    local head = project.run(("curl -sSk -D - -o /dev/null '%s%s'"):format(sim.rest_url, PATH))
    assert.matches("\r\nCache%-Control: public, max%-age=300\r\n", head)
  end)

  it("refuses credentials that are wrong or not complete", function()
    local function status(headers)
      return (project.run(("curl -sSk -o /dev/null -w '%%{http_code}' %s '%s%s'"):format(headers, sim.rest_url, PATH)))
    end
    assert.equal("400", status "-H 'Authorization: simulator-key'")
    assert.equal("400", status "-H 'X-Authorization-Timestamp: 1'")
    assert.equal("401", status(("-H 'Authorization: nobody' -H 'X-Authorization-Timestamp: 1' "
      .. "-H 'X-Authorization-Signature-SHA256: %s'"):format(("0"):rep(64))))
  end)
end)
