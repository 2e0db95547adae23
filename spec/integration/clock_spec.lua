-- SPDX-License-Identifier: MIT
-- A clock that is off: told in any case, and with clock = "auto" signed around, over REST and in handshakes.

local simulator = require "spec.support.simulator"

local BEHIND_AUTO = "the local clock is %d+ s behind the service's: requests are signed by the service's time"
local AHEAD_AUTO = "the local clock is %d+ s ahead of the service's: requests are signed by the service's time"

-- A client whose log lines of at least "warn" are in the list.
local function open(sim, options)
  local lines = {}
  options.logger = function(level, message)
    if level == "warn" or level == "error" then lines[#lines + 1] = message end
  end
  return sim:client(options), lines
end

local function service(offset)
  local sim = simulator.start { feeds = 2, rate_limit = 0, rate = 5, clock_offset = offset }
  finally(function() sim:stop() end)
  return sim
end

local FEED

describe("a clock that is off", function()
  setup(function()
    local sim = simulator.start { feeds = 2 }
    local client = sim:client()
    FEED = assert(client:get_feeds())[1].id
    client:close()
    sim:stop()
  end)

  it("is told, and signed by all the same, unless asked for otherwise", function()
    local sim = service(3)
    local client, lines = open(sim, {})
    for _ = 1, 3 do assert(client:get_latest_report(FEED)) end
    client:close()
    assert.are.equal(1, #lines)
    assert.matches('^the local clock is [234] s behind the service\'s, which accepts 5 s: set the clock, or give '
      .. 'clock = "auto"$', lines[1])
    sim = service(6)
    client = open(sim, { clock = "local" })
    local _, err = client:get_latest_report(FEED)
    client:close()
    assert.are.equal("AuthenticationError", err.kind)
    assert.are.equal(1, sim:answered("/api/v1/reports/latest"))
  end)

  it("is made good for REST, at the cost of one refusal", function()
    for offset, words in pairs { [6] = BEHIND_AUTO, [-6] = AHEAD_AUTO, [3600] = BEHIND_AUTO } do
      local sim = service(offset)
      local client, lines = open(sim, { clock = "auto", max_retries = 0 })
      for _ = 1, 3 do assert(client:get_latest_report(FEED)) end
      client:close()
      assert.matches(words, lines[1])
      assert.are.equal(1, sim:answered("/api/v1/reports/latest", 401))
      assert.are.equal(3, sim:answered("/api/v1/reports/latest", 200))
      sim:stop()
    end
  end)

  it("is made good for many requests at once", function()
    local sim = service(6)
    local client = open(sim, { clock = "auto", rate_limit = false })
    local stream = client:stream({ FEED }, { start = math.floor(os.time()) - 20, ha = true })
    for _ = 1, 30 do assert(stream:read(60)) end
    client:close()
  end)

  it("is made good for a handshake that is the first to meet it", function()
    for offset, words in pairs { [6] = BEHIND_AUTO, [-6] = AHEAD_AUTO } do
      local sim = service(offset)
      local client, lines = open(sim, { clock = "auto" })
      local stream = client:stream({ FEED }, { backfill = false })
      assert(stream:read(60))
      client:close()
      assert.matches(words, table.concat(lines, "\n"))
      assert.are.equal(1, sim:answered("/api/v1/ws", 401))
      sim:stop()
    end
  end)

  it("ends a stream when it is not what a refusal was about", function()
    local sim = service(6)
    local client = open(sim, { clock = "auto", api_secret = "wrong" })
    local _, err = client:stream({ FEED }, { backfill = false }):read(60)
    assert.are.equal("AuthenticationError", err.kind)
    assert.are.equal(2, sim:answered("/api/v1/ws", 401))
    _, err = client:get_latest_report(FEED)
    assert.are.equal("AuthenticationError", err.kind)
    assert.are.equal(1, sim:answered("/api/v1/reports/latest"))
    client:close()
  end)

  it("is followed when it is off by less than the service refuses, and as it changes", function()
    local sim = service(3)
    local client, lines = open(sim, { clock = "auto" })
    assert(client:get_latest_report(FEED))
    sim:control("POST", "/control/clock?offset=4") -- 7 seconds in all, of which 3 are known
    assert(client:get_latest_report(FEED))
    sim:control("POST", "/control/clock?offset=-3") -- none any more
    assert(client:get_latest_report(FEED))
    assert(client:get_latest_report(FEED))
    client:close()
    assert.is_truthy(table.concat(lines, "\n"):find("the local clock and the service's agree again", 1, true))
  end)

  it("lets reports in that this clock takes for those of the future", function()
    local sim = service(40)
    local client, lines = open(sim, { clock = "auto" })
    local stream = client:stream({ FEED }, { backfill = false })
    for _ = 1, 3 do assert(stream:read(60)) end
    assert.are.equal(0, stream:stats().rejected)
    client:close()
    assert.matches(BEHIND_AUTO, table.concat(lines, "\n"))
  end)

  it("is an option of two values", function()
    local ok, err = pcall(require "chainlink".client, { api_key = "k", api_secret = "s", clock = "ntp" })
    assert.is_false(ok)
    assert.are.equal([[option 'clock' must be "local" or "auto", got "ntp" (a string)]], err.message)
  end)
end)
