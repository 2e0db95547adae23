-- SPDX-License-Identifier: MIT
-- Feeds that a page is to show.

local chainlink = require "chainlink"
local lookup = require "chainlink.web.lookup"
local simulator = require "spec.support.simulator"

describe("looking up a feed for a page", function()
  local sim, client, feeds
  setup(function()
    sim = simulator.start { feeds = 2, rate_limit = 0 }
    client = sim:client { max_retries = 0 }
    feeds = assert(client:get_feeds())
  end)
  teardown(function()
    client:close()
    sim:stop()
  end)
  after_each(function() sim:clear_faults() end)

  it("finds it by its name or its id, and tells both", function()
    for _, feed in ipairs(feeds) do
      local expected = { id = feed.id, name = feed.name }
      assert.are.same(expected, lookup.find(client, feed.name))
      assert.are.same(expected, lookup.find(client, feed.id))
    end
  end)

  it("has an id for its name where nobody knows another", function()
    local id = "0x0003" .. ("cd"):rep(30)
    assert.are.same({ id = id, name = id }, lookup.find(client, id))
  end)

  it("says what cannot be shown", function()
    assert.are.same({ name = "NOPE/USD", problem = "no feed is named 'NOPE/USD'; `chainlink-streams feeds` lists those "
      .. "that your key may read" }, lookup.find(client, "NOPE/USD"))
    local found = lookup.find(client, "0x12")
    assert.are.equal("0x12", found.name)
    assert.is_nil(found.id)
    assert.matches("^feed: a feed id has 64 hex digits", found.problem)
  end)

  it("raises what the service fails by", function()
    sim:fault "on=rest,action=status,status=500,times=0"
    local ok, err = pcall(lookup.find, client, "ETH/USD")
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err) and err.retryable)
    ok, err = pcall(lookup.refusal, client, feeds[1].id)
    assert.is_false(ok)
    assert.is_true(chainlink.is_error(err) and err.retryable)
  end)

  it("tells why a feed may not be read, or nothing", function()
    assert.is_nil(lookup.refusal(client, feeds[1].id))
    sim:fault "on=rest,action=status,status=403,times=0"
    assert.are.equal(403, lookup.refusal(client, feeds[1].id).status)
  end)
end)
